import pLimit from 'p-limit'
import type { Abort } from '../../../core/abort.ts'
import type { LiveCall } from '../../call/live-call.ts'
import type { CallFlow } from '../../call/flow.ts'
import type { OperationSpec } from '../../spec/spec.ts'
import { LatencyTracker } from '../hedge/latency-tracker.ts'
import type { Answer, Service } from '../../call/layer.ts'
import type { CacheAdapter } from './cache-adapter.ts'
import type { Place } from './cache-key.ts'
import { conditionOf } from './condition.ts'
import { generationOf, type Clock, type Lookup, type LookupResult } from './entry.ts'
import { confirmed, type Confirmed } from './entry-of.ts'
import { createFlights, type Flights } from './flights.ts'
import type { ReplicaFlights } from './replica-flights.ts'
import { invalidatesEntry } from './stale-if-error.ts'
import { createAnswerStore } from './store-answer.ts'
import { matchesValidators } from './validators.ts'

export interface RevalidationOptions {
  readonly adapter: CacheAdapter
  readonly clock: Clock
  /** The counts that this module increments. */
  readonly counts: { hits: number; misses: number; revalidated: number; refreshes: number }
  /** The limit on refreshes at the same time. */
  readonly refreshWidth: number
  /** Aborts every refresh. */
  readonly life: Abort
  /** Shares calls with other replicas; `undefined` if the store has no leases. */
  readonly replicas: ReplicaFlights | undefined
}

/** The calls of a cache to its upstream. */
export interface Revalidation {
  /** Sends a call, with a condition if the entry has a validator, and stores the answer. */
  readonly fetchAnswer: (
    next: Service,
    place: Place,
    found: Lookup,
    call: LiveCall<unknown>,
  ) => Promise<Answer<unknown>>
  /** Fetches an answer for later calls: at most one call per key, and at most `refreshWidth` calls for all keys. */
  readonly refresh: (next: Service, place: Place, found: LookupResult, call: LiveCall<unknown>) => void
  /** The time within which nearly all answers of an operation arrive, in ms; `undefined` while too few are known. */
  readonly usualMs: (spec: OperationSpec) => number | undefined
  /** Returns the keys for the calls below the cache, see `Flights`. */
  readonly flightKey: Flights['flightKey']
}

/** The ratio of an operation's answers that arrive within its usual time. */
const usualShare = 0.98
/** Answers count for one to two times this time, in ms. It is long because a cache sends few calls. */
const trackerSpanMs = 5 * 60_000

export function createRevalidation({
  adapter,
  clock,
  counts,
  refreshWidth,
  life,
  replicas,
}: RevalidationOptions): Revalidation {
  const refreshing = new Set<string>()
  const limited = pLimit(refreshWidth)
  const answers = createAnswerStore(adapter, clock)
  const flights = createFlights(adapter.storage)
  /** The result of an answer. Calls that share the answer share the result, so it is created and stored once. */
  const results = new WeakMap<Answer<unknown>, Answer<unknown>>()
  const trackers = new WeakMap<OperationSpec, LatencyTracker>()

  function trackerOf(spec: OperationSpec): LatencyTracker {
    let tracker = trackers.get(spec)
    if (tracker === undefined)
      trackers.set(spec, (tracker = new LatencyTracker(usualShare, trackerSpanMs, () => clock.steady())))
    return tracker
  }

  function fetchAnswer(next: Service, place: Place, found: Lookup, call: LiveCall<unknown>): Promise<Answer<unknown>> {
    const { key, uri } = place
    const requestedAt = clock.steady()
    const { entry } = found
    const generation = generationOf(found)
    const condition = entry && conditionOf(entry, call.spec)
    const flight = flights.join(key, call, { requestedAt, generation })
    if (call.spec.coalesceReplicas) replicas?.register(call, place, generation)
    return next(condition === undefined ? call : call.conditional(condition)).then(
      answer => {
        flight.leave()
        if (replicas?.isStored(answer)) {
          counts.hits++
          return answer
        }
        counts.misses++
        const { received, value, status } = answer
        // A custom layer created or changed the answer. Its headers do not tell how long it may be used.
        if (received === undefined || received.value !== value) {
          replicas?.releaseAfter(answer, undefined)
          return { ...answer, cached: { cache: 'miss' } }
        }
        const known = results.get(answer)
        if (known !== undefined) return known
        const state = replicas?.sentOf(answer)
        const sent = { key, uri, call, ...(state?.began ?? flight.began) }
        // The time that a call has waited for another replica is not that of its answer.
        trackerOf(call.spec).record(clock.steady() - (state?.sentAt ?? requestedAt))
        const fresh = { value, status, cached: { cache: 'miss' } } as const
        if (entry === undefined || condition === undefined || status !== 304) {
          const stored = answers.storeAnswer(sent, status, received)
          replicas?.releaseAfter(answer, stored)
          results.set(answer, fresh)
          return fresh
        }
        const current = confirmation(call.spec, found, received.head)
        if (current === undefined) {
          replicas?.release(answer)
          return fetchAnswer(next, place, { entry: undefined, generation }, call)
        }
        counts.revalidated++
        const stored = answers.storeRenewed(sent, found, current, received)
        replicas?.releaseAfter(answer, stored)
        const old = { ...fresh, value: current.value, ...(current.value === null && { keptStatus: entry.status }) }
        results.set(answer, old)
        return old
      },
      error => {
        flight.leave()
        if (!call.abort.aborted && invalidatesEntry(error)) adapter.forget(key, uri)
        throw error
      },
    )
  }

  return {
    fetchAnswer,
    refresh(next, place, found, call) {
      const { key } = place
      if (life.aborted || refreshing.has(key)) return
      refreshing.add(key)
      counts.refreshes++
      const onEnd = () => {
        refreshing.delete(key)
      }
      limited(fetchAnswer, next, place, found, detached(call, life)).then(onEnd, onEnd)
    },
    usualMs: spec => trackerOf(spec).delay,
    flightKey: keyOf => flights.flightKey(keyOf),
  }
}

/**
 * Returns a stored answer with the headers that a 304 has updated. Returns `undefined` if the upstream must be called
 * without a condition: the 304 confirms another answer, or the operation does not accept the updated headers.
 */
function confirmation(spec: OperationSpec, found: LookupResult, head304: Confirmed['head']): Confirmed | undefined {
  if (!matchesValidators(found.entry.head, head304)) return undefined
  try {
    return confirmed(spec, found, head304)
  } catch {
    return undefined
  }
}

/** The flow of all refreshes in the background. No caller waits for them: the weight is that of criticality `low`. */
const refreshes: CallFlow = Object.freeze({ weight: 1 })

/**
 * Returns the same call without its run. Only `abort` aborts it, and its run receives none of its events. It keeps the
 * trace of the run that started it.
 */
function detached<T>(call: LiveCall<T>, abort: Abort): LiveCall<T> {
  const { headers, trace, spans } = call.scope
  return call.detached(abort, {
    deadline: Infinity,
    headers,
    abort,
    flow: refreshes,
    admitted: new Map(),
    // Refreshes belong to no run, so those of several runs share batches of keys.
    batchGroup: refreshes,
    spans: spans?.background(call.step),
    trace,
    now: () => performance.now(),
    emit: () => {},
    isWatched: false,
  })
}
