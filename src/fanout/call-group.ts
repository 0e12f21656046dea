import { UpstreamError } from '../errors.ts'
import type { Cached } from '../upstream/spec/answer.ts'
import type { Call } from '../upstream/call/call.ts'
import { callsInFlight } from './batched-calls.ts'
import type { Item } from './chain.ts'
import type { CallCounts } from './events.ts'
import { failedCall, type FailedCall, type State } from './outcome.ts'
import type { PartialValue } from './partial-values.ts'
import { arrivedItem, failedItem, type EndedItem } from './run-progress.ts'
import type { Step } from './step.ts'

export interface CallGroupOptions {
  readonly step: Step
  readonly calls: readonly Item[]
  /** The number of calls that `overflow` has omitted from the list. */
  readonly omitted: number
  readonly send: SendItem
  /**
   * Called when the step has its value: for an `each` when all calls have ended, for a `firstOf` after `count` answers.
   * The value of a `firstOf` with a `count` of 1 is the answer, and otherwise a list.
   */
  readonly done: (value: unknown, tally: CallCounts, state: State) => void
  /** Called when too many calls have failed, with the first error. */
  readonly fail: (error: unknown, tally: CallCounts) => void
  /** Called when an item of an `each` has ended; undefined if no stream follows the run. */
  readonly itemEnded: ((item: EndedItem) => void) | undefined
}

/** Receives the result of each call. */
export interface CallCompletion {
  /** @param isAbsent true if the upstream's status is one of `nullOn`, so that the upstream does not have the value */
  resolve(index: number, value: unknown, cached: Cached | undefined, isAbsent: boolean): void
  reject(index: number, error: unknown): void
}

/** Sends a call and passes its result to `completion`, possibly before this function returns. */
export type SendCall = (call: Call<unknown>, index: number, completion: CallCompletion) => void

/** Sends an item: a call, or the calls of a chain. It passes the result of the whole item to `completion`. */
export type SendItem = (item: Item, index: number, completion: CallCompletion) => void

/** The calls of an `each`, a `firstOf` or context(). */
export interface CallGroup {
  /** Counts every call that has not ended as failed. */
  forceSettle(reason: unknown): void
  /** Returns the values so far, with fallbacks for the others; undefined if too few have arrived for a value. */
  soFar(): PartialValue | undefined
}

/**
 * Sends calls, at most `concurrency` of an `each` at once, and settles once, with `done` or `fail`. A `firstOf` uses
 * absent values only if all calls have ended and no call has failed, because a failed call may have had the value.
 */
export function startCallGroup(options: CallGroupOptions): CallGroup {
  const { step, calls, omitted, send, done, fail, itemEnded } = options
  const isFirstOf = step.kind === 'firstOf'
  /** The number of successes below which the step fails. */
  const needed = isFirstOf ? step.count : Math.min(step.minSuccess ?? calls.length, calls.length)
  /** The number of successes after which the remaining calls are not awaited. */
  const enough = isFirstOf ? step.count : calls.length
  const values: unknown[] = calls.map(() => undefined)
  const succeeded: boolean[] = []
  const ended: boolean[] = []
  const failed: FailedCall[] = []
  const concurrency = callsInFlight(step.concurrency, calls)
  let sent = 0
  let isDraining = false
  let ok = 0
  /** The calls of a `firstOf` whose value is absent, in the order of arrival. `ok` does not count them. */
  let absences: { readonly index: number; readonly isStale: boolean }[] | undefined
  let first: UpstreamError | undefined
  let isSettled = false
  let isStale = false

  const absent = () => (absences === undefined ? 0 : absences.length)
  const isLast = () => ok + absent() + failed.length === calls.length
  const tally = (): CallCounts => {
    const counts = { calls: calls.length, ok: ok + absent(), failed: failed.sort((a, b) => a.index - b.index) }
    return omitted === 0 ? counts : { ...counts, omitted }
  }

  function settle(): void {
    isSettled = true
    if (absences !== undefined) takeAbsences(absences)
    // Copy the list: the old one may be tenured and would retain young values until the next major GC.
    const taken = isFirstOf ? values.filter((_, index) => succeeded[index]) : values.slice()
    values.length = 0
    const counts = tally()
    const isPartial = !isFirstOf && (counts.failed.length > 0 || omitted > 0)
    const state = isPartial ? 'partial' : isStale ? 'stale' : 'ok'
    done(isFirstOf && step.count === 1 ? taken[0] : taken, counts, state)
  }

  /** Fails the step. A function of a chain may throw any value, `undefined` too. */
  function settleFailure(error: unknown): void {
    isSettled = true
    fail(error, tally())
  }

  /** Uses the earliest absent values for the answers that are still missing. */
  function takeAbsences(all: NonNullable<typeof absences>): void {
    for (const absence of all.slice(0, enough - ok)) {
      succeeded[absence.index] = true
      isStale ||= absence.isStale
    }
  }

  function resolve(index: number, value: unknown, cached: Cached | undefined, isAbsent: boolean): void {
    if (isSettled) return
    ended[index] = true
    values[index] = value
    const isOld = cached?.insteadOf !== undefined
    if (isAbsent && isFirstOf) (absences ??= []).push({ index, isStale: isOld })
    else {
      succeeded[index] = true
      if (isOld) isStale = true
      ok++
    }
    if (itemEnded !== undefined) itemEnded(arrivedItem(index, calls.length, isOld))
    proceed()
  }

  function reject(index: number, error: unknown): void {
    if (isSettled) return
    if (!(error instanceof UpstreamError)) return settleFailure(error)
    ended[index] = true
    first ??= error
    const loss = failedCall(index, error)
    failed.push(loss)
    values[index] = step.fallback
    if (itemEnded !== undefined) itemEnded(failedItem(loss, calls.length))
    proceed()
  }

  /** Settles if the result is decided, and sends more calls otherwise. */
  function proceed(): void {
    if (ok === enough) settle()
    else if (first !== undefined && calls.length - failed.length - absent() < needed) settleFailure(first)
    else if (isLast()) settle()
    else drain()
  }

  const completion: CallCompletion = { resolve, reject }

  /**
   * Sends as many calls as `concurrency` permits; a `firstOf` has no limit. A call may end before `send` returns; the
   * outer loop then goes on.
   */
  function drain(): void {
    if (isDraining) return
    isDraining = true
    while (!isSettled && sent < calls.length && sent - ok - failed.length < concurrency) {
      const index = sent++
      send(calls[index] as Item, index, completion)
    }
    isDraining = false
  }

  if (calls.length === 0) settle()
  else drain()

  return {
    forceSettle(reason) {
      sent = calls.length
      for (let index = 0; index < calls.length; index++) {
        if (!ended[index]) reject(index, reason)
      }
    },
    soFar() {
      if (ok < needed) return undefined
      return { value: values.map((value, index) => (ended[index] ? value : step.fallback)), arrived: ok }
    },
  }
}
