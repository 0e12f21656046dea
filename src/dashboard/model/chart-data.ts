import { points, type Series } from './series.ts'
import type { UpstreamState } from './upstream-state.ts'

/** The values of one line of a chart, oldest first. `null` is a point without a value. */
export type Line = (number | null)[]

/** The lines of the charts by name. */
export type LineName =
  | 'answered'
  | 'attempts'
  | 'p50'
  | 'p95'
  | 'p99'
  | 'permits'
  | 'permitLimit'
  | 'queued'
  | 'retries'
  | 'hedges'
  | 'hedgesWon'
  | 'refusedResends'
  | 'cacheShare'
  | 'breaker'

/** The number of points over which a rate is averaged: one second. */
const ratePoints = 2
/** The number of points over which a share is averaged: five seconds. */
const sharePoints = 10

/**
 * The data of the charts of one upstream. Its arrays are allocated once and filled again for each sample, also after
 * another upstream is selected, so that the charts keep them.
 */
export class ChartData {
  /** The moments of the points, in seconds since 1970. */
  readonly seconds: number[] = Array.from({ length: points }, () => 0)
  readonly lines: Readonly<Record<LineName, Line>> = {
    answered: line(),
    attempts: line(),
    p50: line(),
    p95: line(),
    p99: line(),
    permits: line(),
    permitLimit: line(),
    queued: line(),
    retries: line(),
    hedges: line(),
    hedgesWon: line(),
    refusedResends: line(),
    cacheShare: line(),
    breaker: line(),
  }

  /** Takes the values of an upstream. */
  fill({ series }: UpstreamState, times: Series, every: number): void {
    const { lines } = this
    const perSecond = 1000 / every
    for (let at = 0; at < points; at++) {
      this.seconds[at] = (times[at] as number) / 1000
      lines.attempts[at] = average(series.attempts, at) * perSecond
      lines.answered[at] = (average(series.attempts, at) - average(series.failed, at)) * perSecond
      lines.retries[at] = average(series.retries, at) * perSecond
      lines.hedges[at] = average(series.hedges, at) * perSecond
      lines.hedgesWon[at] = average(series.hedgesWon, at) * perSecond
      lines.refusedResends[at] = average(series.refusedResends, at) * perSecond
      lines.p50[at] = known(series.p50[at])
      lines.p95[at] = known(series.p95[at])
      lines.p99[at] = known(series.p99[at])
      lines.permits[at] = known(series.permits[at])
      lines.permitLimit[at] = known(series.permitLimit[at])
      lines.queued[at] = known(series.queued[at])
      lines.breaker[at] = known(series.breaker[at])
      const asked = sum(series.cacheAsked, at, sharePoints)
      lines.cacheShare[at] = asked === 0 ? null : (100 * sum(series.cacheHits, at, sharePoints)) / asked
    }
  }

  /** Returns whether one of the lines has a value other than 0. */
  has(...names: readonly LineName[]): boolean {
    return names.some(name => this.lines[name].some(value => value !== null && value !== 0))
  }
}

const line = (): Line => Array.from({ length: points }, () => null)

const known = (value: number | undefined): number | null => (value === undefined || Number.isNaN(value) ? null : value)

function average(series: Series, at: number): number {
  return sum(series, at, ratePoints) / Math.min(ratePoints, at + 1)
}

/** Returns the sum of the points up to `at`, at most `count` of them. */
function sum(series: Series, at: number, count: number): number {
  let total = 0
  for (let index = Math.max(0, at - count + 1); index <= at; index++) total += series[index] as number
  return total
}
