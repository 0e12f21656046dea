import type { ResponseHeaders } from '../../spec/answer.ts'
import { hasValidator } from './validators.ts'

/** The moments of a fetch, in ms since 1970, and the generation of its URI when it began. */
export interface Fetched {
  readonly requestedAt: number
  readonly receivedAt: number
  /** An entry is valid while this is the generation of its URI. */
  readonly generation: string
}

/**
 * One kept answer. In a store of bodies all of it is plain JSON, so that the store may be somewhere else. Times are in
 * ms.
 */
export interface Entry extends Freshness, Fetched {
  /** The key that it was stored under; in a store of bodies only. */
  readonly key?: string
  readonly status: number
  /** The headers it came with; in a store of values those alone that say how long it may be kept. */
  readonly head: ResponseHeaders
  /**
   * In a store of values the bytes of memory that the entry holds, in a store of bodies the length of its decoded body.
   */
  readonly bytes: number
  /** Its body, in a store of bodies: text of JSON, and base64 where the operation reads text or bytes. */
  readonly body?: string
}

/** An entry, and what its operation makes of it: checked and frozen. */
export interface LookupResult {
  readonly entry: Entry
  readonly value: unknown
}

/**
 * The generation of a URI as a lookup found it: `undefined` where the URI has none, and `null` where the store has
 * failed, so that an answer cannot be stored.
 */
export type FoundGeneration = string | undefined | null

/** A lookup without a valid entry. */
export interface Miss {
  readonly entry: undefined
  readonly generation: FoundGeneration
}

/** The result of a lookup in a cache. */
export type Lookup = LookupResult | Miss

/** The age of an answer when it was received, and how long it may be used, in ms. */
export interface Freshness {
  /** Its age when it was received. */
  readonly initialAge: number
  /** Up to which age it is fresh. */
  readonly lifetime: number
  /** Times after that for which it may be used: during a refresh, and when a refresh fails (RFC 5861). */
  readonly staleWhileRevalidate: number
  readonly staleIfError: number
}

/** Returns the current age of an answer (RFC 9111, section 4.2.3). */
export function ageOf({ initialAge, receivedAt }: Entry, now: number): number {
  return initialAge + Math.max(0, now - receivedAt)
}

/**
 * Returns how long an entry can be used from the moment it was received, in ms: fresh, stale, or for its validators.
 */
export function retentionMs({ initialAge, lifetime, staleWhileRevalidate, staleIfError, head }: Entry): number {
  const withoutAsking = Math.max(0, lifetime - initialAge) + Math.max(staleWhileRevalidate, staleIfError)
  return hasValidator(head) ? Math.max(withoutAsking, dayMs) : withoutAsking
}

const dayMs = 24 * 3600 * 1000

/** The two times of a cache, in ms since 1970. */
export interface Clock {
  /** Returns the time of the wall clock, which can be set back. It is compared with the dates of upstreams. */
  wall(): number
  /** Returns a time that never goes back, for durations. */
  steady(): number
}

const began = performance.timeOrigin

/** This machine's clocks. */
export const machineClock: Clock = {
  wall: () => Date.now(),
  steady: () => began + performance.now(),
}
