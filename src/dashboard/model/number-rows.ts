import { points, type Series } from './series.ts'
import type { UpstreamState } from './upstream-state.ts'

/** The time that one row of the table covers, in ms. */
export const rowMs = 10_000

/** The numbers of one upstream in ten seconds. A value that does not exist is `NaN`. */
export interface NumberRow {
  /** The start, in ms since 1970: a multiple of `rowMs`. */
  readonly from: number
  /** Rates per second. */
  readonly attempts: number
  readonly retries: number
  readonly hedges: number
  readonly hedgesWon: number
  readonly refusedResends: number
  /** The failed share of the attempts. */
  readonly failedShare: number
  /** The share of the calls that the cache answered. */
  readonly cacheShare: number
  /** Percentiles at the end of the row, in ms. */
  readonly p50: number
  readonly p95: number
  readonly p99: number
  /** The largest values. */
  readonly permits: number
  readonly queued: number
  /** The index of the worst state of the breaker in `breakerStates`. */
  readonly breaker: number
}

/** Returns the numbers of the last two minutes, newest row first. Its first row covers less than ten seconds. */
export function numberRows({ series }: UpstreamState, times: Series, every: number): NumberRow[] {
  const rows: NumberRow[] = []
  for (let end = points; end > 0;) {
    const from = rowOf(times[end - 1] as number)
    let start = end - 1
    while (start > 0 && rowOf(times[start - 1] as number) === from) start--
    // The oldest row is left out unless it is whole.
    if (start > 0 || end - start >= rowMs / every) rows.push(row(series, from, start, end, every))
    end = start
  }
  return rows
}

function row(series: UpstreamState['series'], from: number, start: number, end: number, every: number): NumberRow {
  const seconds = ((end - start) * every) / 1000
  const sum = (values: Series) => total(values, start, end)
  const attempts = sum(series.attempts)
  return {
    from,
    attempts: attempts / seconds,
    retries: sum(series.retries) / seconds,
    hedges: sum(series.hedges) / seconds,
    hedgesWon: sum(series.hedgesWon) / seconds,
    refusedResends: sum(series.refusedResends) / seconds,
    failedShare: sum(series.failed) / attempts,
    cacheShare: sum(series.cacheHits) / sum(series.cacheAsked),
    p50: series.p50[end - 1] as number,
    p95: series.p95[end - 1] as number,
    p99: series.p99[end - 1] as number,
    permits: largest(series.permits, start, end),
    queued: largest(series.queued, start, end),
    breaker: largest(series.breaker, start, end),
  }
}

// A sample at a full ten seconds covers the time before it.
const rowOf = (at: number) => (Math.ceil(at / rowMs) - 1) * rowMs

function total(values: Series, start: number, end: number): number {
  let sum = 0
  for (let at = start; at < end; at++) sum += values[at] as number
  return sum
}

function largest(values: Series, start: number, end: number): number {
  let found = NaN
  for (let at = start; at < end; at++) {
    const value = values[at] as number
    if (Number.isNaN(found) || value > found) found = value
  }
  return found
}
