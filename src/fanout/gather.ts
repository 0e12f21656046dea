import pLimit from 'p-limit'
import { UpstreamError } from '../errors.ts'
import type { Cached } from '../upstream/cached.ts'
import type { Call } from '../upstream/call.ts'
import type { Tally } from './events.ts'
import type { Loss } from './outcome.ts'
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
export interface Taker {
  win (index: number, value: unknown, cached: Cached | undefined): void
  lose (index: number, error: unknown): void
}

/** Asks a call and tells `taker` how it ended; what it returns never rejects. */
export type Ask = (call: Call<unknown>, index: number, taker: Taker) => Promise<void>

/** The calls of an `each` or a `firstOf` under way, so many at once, until enough have come or too many are lost. */
export interface Gathering {
  /** Counts every call that has not ended as lost. */
  expire (reason: unknown): void
}

/** Asks many calls and ends once, by `done` or `fail`. */
export function gather ({ step, calls, ask, done, fail }: GatherOptions): Gathering {
  const isFirstOf = step.kind === 'firstOf'
  /** So many good answers must come, or the step fails. */
  const needed = isFirstOf ? step.count : Math.min(step.atLeast ?? calls.length, calls.length)
  /** After so many good answers the others are not waited for. */
  const enough = isFirstOf ? step.count : calls.length
  const values: unknown[] = Array.from({ length: calls.length })
  const won: boolean[] = []
  const ended: boolean[] = []
  const failed: Loss[] = []
  const limit = calls.length > step.width ? pLimit(step.width) : undefined
  let ok = 0
  let first: UpstreamError | undefined
  let over = false
  let isStale = false

  const tally = (): Tally => ({ calls: calls.length, ok, failed: failed.sort((a, b) => a.index - b.index) })

  function end (error?: unknown): void {
    over = true
    if (error !== undefined) fail(error, tally())
    else done(isFirstOf ? values.filter((_, index) => won[index]) : values, tally(), isStale)
  }

  function win (index: number, value: unknown, cached: Cached | undefined): void {
    if (over) return
    won[index] = ended[index] = true
    values[index] = value
    if (cached?.insteadOf !== undefined) isStale = true
    ok++
    if (ok === enough || ok + failed.length === calls.length) end()
  }

  function lose (index: number, error: unknown): void {
    if (over) return
    if (!(error instanceof UpstreamError)) return end(error)
    ended[index] = true
    first ??= error
    const { code, upstreamStatus } = error
    failed.push(upstreamStatus === undefined ? { index, code } : { index, code, status: upstreamStatus })
    values[index] = step.fallback
    if (calls.length - failed.length < needed) end(first)
    else if (ok + failed.length === calls.length) end()
  }

  const taker: Taker = { win, lose }
  const send = (index: number) => ask(calls[index] as Call<unknown>, index, taker)

  for (let index = 0; index < calls.length; index++) {
    if (limit === undefined) void send(index)
    else void limit(send, index)
  }
  if (calls.length === 0) end()

  return {
    expire (reason) {
      for (let index = 0; index < calls.length; index++) {
        if (!ended[index]) lose(index, reason)
      }
    },
  }
}
