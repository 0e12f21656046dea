import pLimit from 'p-limit'
import type { Abort } from '../../../core/abort.ts'
import type { LiveCall } from '../../call/call.ts'
import type { OperationSpec } from '../../spec/spec.ts'
import { LatencyTracker } from '../hedge/latency-tracker.ts'
import type { Answer, Service } from '../../call/layer.ts'
import type { CacheAdapter } from './cache-adapter.ts'
import { conditionOf, matchesValidators } from './condition.ts'
import type { Clock, LookupResult } from './entry.ts'
import { invalidatesEntry } from './stale-if-error.ts'
import { storeAnswer, storeRenewed } from './store-answer.ts'

export interface RevalidationOptions {
  readonly adapter: CacheAdapter
  readonly clock: Clock
  /** Counted here. */
  readonly counts: { misses: number; revalidated: number; refreshes: number }
  /** Refreshes at once. */
  readonly refreshWidth: number
  /** Ends every refresh. */
  readonly life: Abort
}

/** The calls of a cache to its upstream. */
export interface Revalidation {
  /** Sends a call, under the condition that the entry allows, and stores the answer. */
  readonly fetchAnswer: (
    next: Service,
    key: string,
    found: LookupResult | undefined,
    call: LiveCall<unknown>,
  ) => Promise<Answer<unknown>>
  /** Fetches an answer for later calls; one at a time for each key, and at most `refreshWidth` of all keys. */
  readonly refresh: (next: Service, key: string, found: LookupResult, call: LiveCall<unknown>) => void
  /** The time within which nearly all answers of an operation come, in ms; undefined while too few are known. */
  readonly usualMs: (spec: OperationSpec) => number | undefined
}

/** The share of an operation's answers that come within its usual time. */
const usualShare = 0.98
/** Answers count towards the usual time for one to two times this long, in ms: those of a cache are few. */
const trackerSpanMs = 5 * 60_000

export function createRevalidation({ adapter, clock, counts, refreshWidth, life }: RevalidationOptions): Revalidation {
  const refreshing = new Set<string>()
  const limited = pLimit(refreshWidth)
  /** The result for an answer that several calls share, so that it is made and stored once. */
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
    key: string,
    found: LookupResult | undefined,
    call: LiveCall<unknown>,
  ): Promise<Answer<unknown>> {
    const requestedAt = clock.steady()
    const condition = found && conditionOf(found.entry, call.spec)
    return next(condition === undefined ? call : call.conditional(condition)).then(
      answer => {
        counts.misses++
        const { received, value, status } = answer
        // A custom layer made or changed it: its headers say nothing of how long it may be used.
        if (received === undefined || received.value !== value) return { ...answer, cached: { cache: 'miss' } }
        const known = results.get(answer)
        if (known !== undefined) return known
        trackerOf(call.spec).record(clock.steady() - requestedAt)
        const fresh = { value, status, cached: { cache: 'miss' } } as const
        if (found === undefined || condition === undefined || status !== 304) {
          storeAnswer(adapter, clock, key, call, { ...received, status }, requestedAt)
          results.set(answer, fresh)
          return fresh
        }
        // The 304 is about another answer than the one that is stored.
        const { entry } = found
        if (!matchesValidators(entry.head, received.head)) return fetchAnswer(next, key, undefined, call)
        counts.revalidated++
        storeRenewed(adapter, clock, key, call, found, received.head, requestedAt)
        const old = { ...fresh, value: found.value, ...(found.value === null && { keptStatus: entry.status }) }
        results.set(answer, old)
        return old
      },
      error => {
        if (!call.abort.aborted && invalidatesEntry(error)) adapter.forget(key)
        throw error
      },
    )
  }

  return {
    fetchAnswer,
    refresh(next, key, found, call) {
      if (life.aborted || refreshing.has(key)) return
      refreshing.add(key)
      counts.refreshes++
      const onEnd = () => {
        refreshing.delete(key)
      }
      limited(fetchAnswer, next, key, found, detached(call, life)).then(onEnd, onEnd)
    },
    usualMs: spec => trackerOf(spec).delay,
  }
}

/** The same call outside its run: only `abort` ends it, and its run gets no events of it. */
function detached<T>(call: LiveCall<T>, abort: Abort): LiveCall<T> {
  const { headers } = call.scope
  return call.detached(abort, {
    deadline: Infinity,
    headers,
    abort,
    admitted: new Map(),
    now: () => performance.now(),
    emit: () => {},
    isWatched: false,
  })
}
