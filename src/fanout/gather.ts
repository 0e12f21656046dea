import { UpstreamError } from '../errors.ts'
import type { Cached } from '../upstream/spec/answer.ts'
import type { Call } from '../upstream/call/call.ts'
import type { Tally } from './events.ts'
import type { Loss } from './outcome-recorder.ts'
import type { Step } from './step.ts'

export interface GatherOptions {
  readonly step: Step
  readonly calls: readonly Call<unknown>[]
  readonly ask: Ask
  /** Enough good answers have come: all there are for an `each`, `count` for a `firstOf`. */
  readonly done: (values: readonly unknown[], tally: Tally, isStale: boolean) => void
  /** Too many calls are lost; the error is that of the first. */
  readonly fail: (error: unknown, tally: Tally) => void
}

/** Is told how each call ended. */
export interface CallCompletion {
  /** @param isAbsent whether the upstream said by a status of `absent` that it has no such value */
  resolve(index: number, value: unknown, cached: Cached | undefined, isAbsent: boolean): void
  reject(index: number, error: unknown): void
}

/** Asks a call and tells `taker` how it ended, maybe before it returns. */
export type Ask = (call: Call<unknown>, index: number, taker: CallCompletion) => void

/** The calls of an `each` or a `firstOf` under way, so many at once, until enough have come or too many are lost. */
export interface Gathering {
  /** Counts every call that has not ended as lost. */
  expire(reason: unknown): void
}

/**
 * Asks many calls and ends once, by `done` or `fail`.
 * A `firstOf` takes absences only when no call can answer any more and none has failed: a failed call may have had the
 * value.
 */
export function gather({ step, calls, ask, done, fail }: GatherOptions): Gathering {
  const isFirstOf = step.kind === 'firstOf'
  /** So many good answers must come, or the step fails. */
  const needed = isFirstOf ? step.count : Math.min(step.minSuccess ?? calls.length, calls.length)
  /** After so many good answers the others are not waited for. */
  const enough = isFirstOf ? step.count : calls.length
  const values: unknown[] = calls.map(() => undefined)
  const won: boolean[] = []
  const ended: boolean[] = []
  const failed: Loss[] = []
  const { concurrency } = step
  let sent = 0
  let isSending = false
  let ok = 0
  /** Absences of a `firstOf`, in the order in which they came; none of them is in `ok`. */
  let absences: { readonly index: number; readonly isStale: boolean }[] | undefined
  let first: UpstreamError | undefined
  let over = false
  let isStale = false

  const absent = () => (absences === undefined ? 0 : absences.length)
  const isLast = () => ok + absent() + failed.length === calls.length
  const tally = (): Tally => ({
    calls: calls.length,
    ok: ok + absent(),
    failed: failed.sort((a, b) => a.index - b.index),
  })

  function end(error?: unknown): void {
    over = true
    if (error !== undefined) fail(error, tally())
    else {
      if (absences !== undefined) takeAbsences(absences)
      // A list of now: the one that has waited may be old, and dead it would keep the values that are young.
      const taken = isFirstOf ? values.filter((_, index) => won[index]) : values.slice()
      values.length = 0
      done(taken, tally(), isStale)
    }
  }

  /** Fills up what the answers have left open, with the absences that came first. */
  function takeAbsences(all: NonNullable<typeof absences>): void {
    for (const absence of all.slice(0, enough - ok)) {
      won[absence.index] = true
      isStale ||= absence.isStale
    }
  }

  function win(index: number, value: unknown, cached: Cached | undefined, isAbsent: boolean): void {
    if (over) return
    ended[index] = true
    values[index] = value
    const isOld = cached?.insteadOf !== undefined
    if (isAbsent && isFirstOf) (absences ??= []).push({ index, isStale: isOld })
    else {
      won[index] = true
      if (isOld) isStale = true
      ok++
    }
    settle()
  }

  function lose(index: number, error: unknown): void {
    if (over) return
    if (!(error instanceof UpstreamError)) return end(error)
    ended[index] = true
    first ??= error
    const { code, upstreamStatus } = error
    failed.push(upstreamStatus === undefined ? { index, code } : { index, code, status: upstreamStatus })
    values[index] = step.fallback
    settle()
  }

  /** Ends where it is known how, and sends more calls otherwise. */
  function settle(): void {
    if (ok === enough) end()
    else if (first !== undefined && calls.length - failed.length - absent() < needed) end(first)
    else if (isLast()) end()
    else goOn()
  }

  const taker: CallCompletion = { resolve: win, reject: lose }

  /**
   * Sends what the width has room for. One that ends before it returns comes here again: the one that is here already
   * goes on.
   */
  function goOn(): void {
    if (isSending) return
    isSending = true
    while (!over && sent < calls.length && sent - ok - absent() - failed.length < concurrency) {
      const index = sent++
      ask(calls[index] as Call<unknown>, index, taker)
    }
    isSending = false
  }

  if (calls.length === 0) end()
  else goOn()

  return {
    expire(reason) {
      sent = calls.length
      for (let index = 0; index < calls.length; index++) {
        if (!ended[index]) lose(index, reason)
      }
    },
  }
}
