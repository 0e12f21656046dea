import type { CompletedRequest } from './http-caller.ts'
import { median, percentile } from './percentile.ts'

/** The figures of the requests that an open loop has sent. Rates are per second, and times are in ms. */
export interface OpenLoopFigures {
  readonly offered: number
  /** Replies with status 200 in the median second. A pause of the machine in a few seconds does not change it. */
  readonly whole: number
  /** Ratio of the replies with status 200 to all requests. */
  readonly wholeRatio: number
  /** Number of replies with status 503. */
  readonly refused: number
  /** Number of requests with another status, or without a reply. */
  readonly other: number
  /** Median time of the replies with status 200, from the time at which a request was due. */
  readonly p50Ms: number
  readonly p99Ms: number
}

/**
 * Computes the figures of an open loop.
 *
 * @param completed - All its requests.
 * @param startedAt - The start of the loop, in ms of `performance.now()`.
 * @param seconds - Its duration, a whole number.
 */
export function figuresOf(completed: readonly CompletedRequest[], startedAt: number, seconds: number): OpenLoopFigures {
  const whole = completed.filter(({ status }) => status === 200)
  const refused = completed.filter(({ status }) => status === 503).length
  const sortedMs = whole.map(({ dueAt, endedAt }) => endedAt - dueAt).sort((a, b) => a - b)
  return {
    offered: completed.length / seconds,
    whole: medianPerSecond(whole, startedAt, seconds),
    wholeRatio: whole.length / completed.length,
    refused,
    other: completed.length - whole.length - refused,
    p50Ms: percentile(sortedMs, 0.5),
    p99Ms: percentile(sortedMs, 0.99),
  }
}

/** Returns the number of requests that ended in the median second. */
export function medianPerSecond(
  completed: readonly Pick<CompletedRequest, 'endedAt'>[],
  startedAt: number,
  seconds: number,
): number {
  const counts = Array.from({ length: seconds }, () => 0)
  for (const { endedAt } of completed) {
    const second = Math.floor((endedAt - startedAt) / 1000)
    if (second < seconds) counts[second] = (counts[second] as number) + 1
  }
  return median(counts)
}

/**
 * Returns the windows of quiet rounds: those whose calm p99 is at most twice the lowest calm p99. A pause of the machine
 * during the calm load would make each other load look good.
 */
export function quietOnly<Window extends { readonly calm: Pick<OpenLoopFigures, 'p99Ms'> }>(
  windows: readonly Window[],
): Window[] {
  const lowest = Math.min(...windows.map(({ calm }) => calm.p99Ms))
  return windows.filter(({ calm }) => calm.p99Ms <= 2 * lowest)
}
