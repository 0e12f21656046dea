import type { UpstreamHistory } from '../dashboard/protocol.ts'
import { pointMs, Points, type PointClock } from './history.ts'
import { rounded } from './percentiles.ts'
import { breakerStates } from './process-sample.ts'

/** The values with points. */
const pointNames = [
  'attempts',
  'failedAttempts',
  'hedges',
  'hedgesWon',
  'retries',
  'refusedResends',
  'cacheHits',
  'cacheAsked',
  'permits',
  'permitLimit',
  'queued',
  'breaker',
  'p50',
  'p95',
  'p99',
] as const

/** The number of known points that a usual value needs. */
const usualPoints = 40

export type UpstreamPointName = (typeof pointNames)[number]

/** The points of one upstream over the last two minutes. */
export class UpstreamPoints extends Points<UpstreamPointName> {
  constructor() {
    super(pointNames, { p50: NaN, p95: NaN, p99: NaN })
  }

  /** Returns all series. */
  history(clock: PointClock): UpstreamHistory {
    const series = (name: (typeof pointNames)[number]) => Array.from(this.until(clock.last, name), rounded)
    const known = (name: (typeof pointNames)[number]) =>
      Array.from(this.until(clock.last, name), value => (Number.isNaN(value) ? null : rounded(value)))
    return {
      from: clock.from,
      every: pointMs,
      attempts: series('attempts'),
      failed: series('failedAttempts'),
      p50: known('p50'),
      p95: known('p95'),
      p99: known('p99'),
      permits: series('permits'),
      permitLimit: series('permitLimit').map(limit => (limit === 0 ? null : limit)),
      queued: series('queued'),
      breaker: Array.from(this.until(clock.last, 'breaker'), state => breakerStates[state] ?? 'none'),
      hedges: series('hedges'),
      hedgesWon: series('hedgesWon'),
      retries: series('retries'),
      refusedResends: series('refusedResends'),
      cacheHits: series('cacheHits'),
      cacheAsked: series('cacheAsked'),
    }
  }

  /** Returns the median of the known values; `null` if there are too few. */
  usual(last: number, name: UpstreamPointName): number | null {
    const known = this.until(last, name)
      .filter(value => !Number.isNaN(value))
      .sort()
    return known.length < usualPoints ? null : (known[known.length >> 1] as number)
  }
}
