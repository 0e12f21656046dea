import type { Effort } from '../../call/attempt.ts'
import type { Answer, Layer, Service } from '../../call/layer.ts'
import type { LiveCall } from '../../call/live-call.ts'
import type { OperationSpec } from '../../spec/spec.ts'
import type { Place } from './cache-key.ts'
import type { FoundGeneration } from './entry.ts'
import type { Began } from './flights.ts'
import { HeldLease, releaseAfterFailure } from './held-lease.ts'
import type { Lease, LeaseAdapter } from './lease-adapter.ts'
import { awaitLease, waitEndOf, type LaterLookup } from './lease-wait.ts'
import type { Storing } from './store-answer.ts'

export interface ReplicaFlightsOptions {
  readonly leases: LeaseAdapter
  /** Looks up a place again. Rejects only with the abort reason. */
  readonly find: (place: Place, call: LiveCall<unknown>) => Promise<LaterLookup>
  /** Returns the time within which nearly all answers of an operation arrive, in ms; `undefined` if it is not known. */
  readonly usualMs: (spec: OperationSpec) => number | undefined
  /** The clock of the cache. */
  readonly now: () => number
}

/** The state in which the layer has sent a call. */
export interface SentState {
  /** The time at which the call was sent. It is later than the lookup if the call has followed another one. */
  readonly sentAt: number
  /** The lookup of a leader before it has sent the call; `undefined` for a call without a lease. */
  readonly began: Began | undefined
}

/** The calls that the replicas of a service share through the store of a cache. */
export interface ReplicaFlights {
  /** Sends a registered call if this process gets the lease of its place. Else waits for the answer in the store. */
  readonly layer: Layer
  /** Registers a call before it is sent, with the generation of its lookup. Other calls pass the layer unchanged. */
  register(call: LiveCall<unknown>, place: Place, generation: FoundGeneration): void
  /** Returns true for an answer of the layer that the store had. */
  isStored(answer: Answer<unknown>): boolean
  /** Returns the state of the call of an answer; `undefined` if the layer has not sent it. */
  sentOf(answer: Answer<unknown>): SentState | undefined
  /** Releases the lease of an answer of the upstream. Another call of its place can take it. */
  release(answer: Answer<unknown>): void
  /** Releases the lease of an answer when it is stored. If no other call can use the answer, none waits any more. */
  releaseAfter(answer: Answer<unknown>, storing: Storing | undefined): void
}

/** A registered call. */
interface Registered {
  readonly place: Place
  readonly generation: FoundGeneration
}

/**
 * The time of a lease as a part of `attemptTimeout`, which is the longest time that a follower waits. If the leader
 * dies, the rest is left for the call of the next one.
 */
const leaseShare = 0.4
/** The least time of a lease, in ms. A leader whose event loop is busy renews its lease late. */
const minLeaseMs = 400
/** The limit on the time for which a lease is renewed, for an upstream without `totalTimeout`, in ms. */
const maxLeaseMs = 30_000

/**
 * Lets equal calls of several replicas share one answer. The replica with the lease sends the call (the leader). The
 * others (the followers) wait until the lease ends, and then use the stored answer.
 *
 * ```text
 * take the lease ── held by another replica ──> wait until it is free ── a fresh answer is stored ──> use it
 *   │    ^                                        │                └──── none: the leader has died ────┐
 *   │    └────────────────────────────────────────┼──────────────────────────────────────────────────┘
 *   │ held by this one                            │ the time is up, the answer is of no use, the store is unavailable
 *   v                                             v
 * a fresh answer is stored? use it : send       send without a lease
 * ```
 *
 * A follower waits for the usual time of a call, and for `attemptTimeout` while that time is not known. It stops early
 * enough to send the call before its deadline.
 */
export function createReplicaFlights({ leases, find, usualMs, now }: ReplicaFlightsOptions): ReplicaFlights {
  /** The registered calls. The effort is the part of a call that `coalesce` and a condition do not change. */
  const registered = new WeakMap<Effort, Registered>()
  const stored = new WeakSet<Answer<unknown>>()
  const states = new WeakMap<Answer<unknown>, SentState>()
  const held = new WeakMap<Answer<unknown>, HeldLease>()

  async function look(place: Place, call: LiveCall<unknown>): Promise<LaterLookup> {
    const found = await find(place, call)
    if (found.answer !== undefined) stored.add(found.answer)
    return found
  }

  async function send(next: Service, call: LiveCall<unknown>, began: Began | undefined): Promise<Answer<unknown>> {
    const sentAt = now()
    const answer = await next(call)
    states.set(answer, { sentAt, began })
    return answer
  }

  async function share(next: Service, call: LiveCall<unknown>, known: Registered): Promise<Answer<unknown>> {
    const { place } = known
    const { scope, spec } = call
    const { attemptTimeout, totalTimeout = maxLeaseMs } = spec.upstream
    const leaseMs = Math.max(minLeaseMs, leaseShare * attemptTimeout)
    const startedAt = scope.now()
    // Callers that join the flight can move it.
    const patience = () => scope.patience ?? scope.deadline
    const waitEnd = () => waitEndOf(startedAt, patience(), attemptTimeout, usualMs(spec))
    let { generation } = known
    for (let left = patience() - startedAt; left > 0 && generation !== null; left = patience() - scope.now()) {
      const access = leases(place, generation, call)
      const lease = await access.take(leaseMs, Math.min(left, totalTimeout))
      if (lease === undefined || lease === 'unshared') break
      const found =
        lease === 'taken'
          ? await awaitLease({ lease: access, generation, call, end: waitEnd, look: () => look(place, call) })
          : await lookAsLeader(place, call, lease, generation)
      if (found === undefined) break
      if (lease !== 'taken') {
        // After a change of the URI, no other call waits for this lease.
        if (found.answer === undefined && found.began.generation === generation)
          return lead(next, call, found.began, lease)
        lease.release(0)
      }
      if (found.answer !== undefined) return found.answer
      generation = found.began.generation
    }
    return send(next, call, undefined)
  }

  /** Another leader may have stored an answer after the lookup of this call. */
  async function lookAsLeader(
    place: Place,
    call: LiveCall<unknown>,
    lease: Lease,
    generation: string | undefined,
  ): Promise<LaterLookup> {
    if (lease.isEmpty) return { answer: undefined, began: { requestedAt: now(), generation } }
    try {
      return await look(place, call)
    } catch (reason) {
      lease.release(0)
      throw reason
    }
  }

  async function lead(next: Service, call: LiveCall<unknown>, began: Began, lease: Lease): Promise<Answer<unknown>> {
    try {
      const answer = await send(next, call, began)
      held.set(answer, new HeldLease(lease, call.abort))
      return answer
    } catch (error) {
      releaseAfterFailure(lease, call.abort)
      throw error
    }
  }

  return {
    layer: next => {
      const service = (call: LiveCall<unknown>) => {
        const known = registered.get(call.effort)
        return known === undefined ? next(call) : share(next, call, known)
      }
      return service as Service
    },
    register: ({ effort }, place, generation) => void registered.set(effort, { place, generation }),
    isStored: answer => stored.has(answer),
    sentOf: answer => states.get(answer),
    release: answer => held.get(answer)?.release(),
    releaseAfter: (answer, storing) => held.get(answer)?.releaseAfter(storing),
  }
}
