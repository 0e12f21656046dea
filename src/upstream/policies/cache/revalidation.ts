import pLimit from 'p-limit'
import type { Abort } from '../../../core/abort.ts'
import type { LiveCall } from '../../call/live-call.ts'
import type { CallFlow } from '../../call/flow.ts'
import type { OperationSpec } from '../../spec/spec.ts'
import { LatencyTracker } from '../hedge/latency-tracker.ts'
import type { Answer, Service } from '../../call/layer.ts'
import type { CacheAdapter } from './cache-adapter.ts'
import { conditionOf } from './condition.ts'
import type { Clock, Lookup, LookupResult } from './entry.ts'
import { confirmed, type Confirmed } from './entry-of.ts'
import { createFlights } from './flights.ts'
import { invalidatesEntry } from './stale-if-error.ts'
import { createAnswerStore } from './store-answer.ts'
import { matchesValidators } from './validators.ts'

export interface RevalidationOptions {
  readonly adapter: CacheAdapter
  readonly clock: Clock
  /** The counts that this module increments. */
  readonly counts: { misses: number; revalidated: number; refreshes: number }
  /** The limit on refreshes at the same time. */
  readonly refreshWidth: number
  /** Aborts every refresh. */
  readonly life: Abort
}

/** The place at which the answer of a call is stored. */
export interface Place {
  readonly key: string
  readonly uri: string
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
}

/** The ratio of an operation's answers that arrive within its usual time. */
const usualShare = 0.98
/** Answers count for one to two times this time, in ms. It is long because a cache sends few calls. */
const trackerSpanMs = 5 * 60_000

export function createRevalidation({ adapter, clock, counts, refreshWidth, life }: RevalidationOptions): Revalidation {
  const refreshing = new Set<string>()
  const limited = pLimit(refreshWidth)
  const answers = createAnswerStore(adapter, clock)
  const flights = createFlights()
  /** The result of an answer. Calls that share the answer share the result, so it is created and stored once. */
  const results = new WeakMap<Answer<unknown>, Answer<unknown>>()
  const trackers = new WeakMap<OperationSpec, LatencyTracker>()

  function trackerOf(spec: OperationSpec): LatencyTracker {
    let tracker = trackers.get(spec)
    if (tracker === undefined)
      trackers.set(spec, (tracker = new LatencyTracker(usualShare, trackerSpanMs, () => clock.steady())))
    return tracker
  }

  function fetchAnswer(
    next: Service,
    { key, uri }: Place,
    found: Lookup,
    call: LiveCall<unknown>,
  ): Promise<Answer<unknown>> {
    const requestedAt = clock.steady()
    const { entry } = found
    const generation = entry === undefined ? found.generation : entry.generation
    const condition = entry && conditionOf(entry, call.spec)
    const flight = flights.join(key, { requestedAt, generation })
    const sent = { key, uri, call, ...flight.began }
    return next(condition === undefined ? call : call.conditional(condition)).then(
      answer => {
        flight.leave()
        counts.misses++
        const { received, value, status } = answer
        // A custom layer created or changed the answer. Its headers do not tell how long it may be used.
        if (received === undefined || received.value !== value) return { ...answer, cached: { cache: 'miss' } }
        const known = results.get(answer)
        if (known !== undefined) return known
        trackerOf(call.spec).record(clock.steady() - requestedAt)
        const fresh = { value, status, cached: { cache: 'miss' } } as const
        if (entry === undefined || condition === undefined || status !== 304) {
          answers.storeAnswer(sent, status, received)
          results.set(answer, fresh)
          return fresh
        }
        const current = confirmation(call.spec, found, received.head)
        if (current === undefined) return fetchAnswer(next, { key, uri }, { entry: undefined, generation }, call)
        counts.revalidated++
        answers.storeRenewed(sent, found, current, received)
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
