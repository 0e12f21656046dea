import type { CompletedRequest } from '../../lib/http-caller.ts'
import { median } from '../../lib/percentile.ts'

/**
 * Returns the median number of replies with status 200 per second. The median ignores single seconds in which the
 * machine stalled.
 */
export function medianSecond(ended: readonly CompletedRequest[], startedAt: number, seconds: number): number {
  const counts = Array.from({ length: seconds }, () => 0)
  for (const { status, endedAt } of ended) {
    const second = Math.floor((endedAt - startedAt) / 1000)
    if (status === 200 && second < seconds) counts[second] = (counts[second] as number) + 1
  }
  return median(counts)
}

/** Returns the sorted times of the replies with status 200, from the time at which each request was due, in ms. */
export function wholeMs(ended: readonly CompletedRequest[]): number[] {
  return ended
    .filter(({ status }) => status === 200)
    .map(({ dueAt, endedAt }) => endedAt - dueAt)
    .sort((a, b) => a - b)
}

/**
 * Returns the end of the last interval of 250 ms in which more than 10 % of the requests failed or were late, in ms
 * from the start.
 */
export function lastTrouble(ended: readonly CompletedRequest[], startedAt: number, lateMs: number): number {
  const binMs = 250
  const bins = new Map<number, { all: number; bad: number }>()
  for (const { status, dueAt, endedAt } of ended) {
    const at = Math.floor((dueAt - startedAt) / binMs)
    const bin = bins.get(at) ?? { all: 0, bad: 0 }
    bin.all++
    if (status !== 200 || endedAt - dueAt > lateMs) bin.bad++
    bins.set(at, bin)
  }
  return Math.max(0, ...Array.from(bins, ([at, { all, bad }]) => (bad > all / 10 ? (at + 1) * binMs : 0)))
}
