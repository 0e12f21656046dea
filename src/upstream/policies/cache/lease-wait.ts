import { pause } from '../../../core/pause.ts'
import type { Answer } from '../../call/layer.ts'
import type { LiveCall } from '../../call/live-call.ts'
import type { Began } from './flights.ts'
import type { LeaseAccess } from './lease-adapter.ts'

/** A lookup after the lookup of the cache. */
export interface LaterLookup {
  /** The answer that the store has for the place; `undefined` if it is not fresh. */
  readonly answer: Answer<unknown> | undefined
  /** The state at the lookup, for a call that is sent after it. */
  readonly began: Began
}

export interface LeaseWaitOptions {
  readonly lease: LeaseAccess
  /** The generation of the lease. */
  readonly generation: string | undefined
  readonly call: LiveCall<unknown>
  /** Returns the end of the wait, in ms of the clock of the call. */
  readonly end: () => number
  /** Looks the place of the lease up. */
  readonly look: () => Promise<LaterLookup>
}

/** The first pause between two questions for a lease, in ms. */
const firstPauseMs = 5
/** The part of the time waited that is added to a pause: the longer the call, the later may its answer be seen. */
const pauseShare = 0.1
const longestPauseMs = 250
/** The time between two lookups while the lease is taken, in ms. A lease can outlive its call if its release fails. */
const lookEveryMs = 250

/** The time that a follower waits beyond the usual time of a call, in ms: the answer is stored, found and read. */
const storeMs = 50

/**
 * Returns the end of the wait of a call that has begun at `startedAt`, in ms. The wait is as long as the call would
 * take: `usualMs`, or `attemptTimeout` while that time is not known. After it, the call can still be sent and answered
 * before `patience` ends.
 */
export function waitEndOf(
  startedAt: number,
  patience: number,
  attemptTimeout: number,
  usualMs: number | undefined,
): number {
  const waitMs = usualMs === undefined ? attemptTimeout : Math.min(attemptTimeout, usualMs + storeMs)
  const sendMs = Math.max(usualMs ?? 0, Math.min(attemptTimeout, (patience - startedAt) / 2))
  return Math.min(startedAt + waitMs, patience - sendMs)
}

/**
 * Waits until a lease is free, or its place has a fresh answer, or the URI has another generation. Resolves with the
 * lookup after it; `undefined` if the call is to be sent without a lease: the time is up, the last answer was not
 * stored, or the store is unavailable.
 */
export async function awaitLease(options: LeaseWaitOptions): Promise<LaterLookup | undefined> {
  const { lease, generation, call, end, look } = options
  const { abort, scope } = call
  const startedAt = scope.now()
  let now = startedAt
  let lookedAt = startedAt
  while (now < end()) {
    const ms = Math.min(longestPauseMs, firstPauseMs + pauseShare * (now - startedAt))
    await pause(abort, Math.min(end() - now, ms * (0.75 + Math.random() / 2)))
    const state = await lease.state()
    if (state === undefined || state === 'unshared') return undefined
    now = scope.now()
    if (state === 'taken' && now - lookedAt < lookEveryMs) continue
    lookedAt = now
    const found = await look()
    if (state === 'free' || found.answer !== undefined || found.began.generation !== generation) return found
    now = scope.now()
  }
  return undefined
}
