import type {
  BreakerState,
  Health,
  History,
  OriginCounts,
  UpstreamHistory,
  UpstreamInfo,
  UpstreamSample,
} from '../protocol.ts'
import { createSeries, fillCounts, fillValues, points, push, sumOfLast, type Series } from './series.ts'

/** The states of a circuit breaker; a series of them has the index of each. */
export const breakerStates: readonly BreakerState[] = ['none', 'closed', 'half-open', 'open']

/** The series of one upstream. A count is that of one point, and `NaN` is a point without a value. */
export interface UpstreamSeries {
  readonly attempts: Series
  readonly failed: Series
  readonly calls: Series
  readonly lostCalls: Series
  readonly p50: Series
  readonly p95: Series
  readonly p99: Series
  readonly permits: Series
  readonly permitLimit: Series
  readonly queued: Series
  /** The index of the state in `breakerStates`. */
  readonly breaker: Series
  readonly hedges: Series
  readonly hedgesWon: Series
  readonly retries: Series
  readonly refusedResends: Series
  readonly cacheHits: Series
  readonly cacheAsked: Series
}

/** An upstream as the page shows it. Its fields change in place with each sample. */
export class UpstreamState {
  readonly index: number
  readonly info: UpstreamInfo
  readonly name: string
  /** The names of the aggregates that have used the upstream, as far as the service has seen it. */
  users: readonly string[]
  health: Health = 'idle'
  /** The start of the present health, in ms since 1970. */
  since = 0
  reason = ''
  p50 = NaN
  p95 = NaN
  p99 = NaN
  permits = 0
  /** The limit of the permits; `NaN` without a limit. */
  permitLimit = NaN
  queued = 0
  breaker: BreakerState = 'none'
  /** The numbers of its origins; `undefined` if it has one. */
  origins: OriginCounts | undefined
  /** Attempts per second, over the last 10 s. */
  rate = 0
  /**
   * Calls or attempts per second, the larger one: an open circuit breaker refuses calls without an attempt, and retries
   * send more attempts than calls.
   */
  traffic = 0
  /** The failed share of the attempts of the last 10 s; `NaN` without attempts. */
  errorShare = NaN
  /** The lost share of the calls of the last 10 s; `NaN` without calls. */
  lostShare = NaN
  readonly series: UpstreamSeries = {
    attempts: createSeries(0),
    failed: createSeries(0),
    calls: createSeries(0),
    lostCalls: createSeries(0),
    p50: createSeries(NaN),
    p95: createSeries(NaN),
    p99: createSeries(NaN),
    permits: createSeries(NaN),
    permitLimit: createSeries(NaN),
    queued: createSeries(NaN),
    breaker: createSeries(0),
    hedges: createSeries(0),
    hedgesWon: createSeries(0),
    retries: createSeries(0),
    refusedResends: createSeries(0),
    cacheHits: createSeries(0),
    cacheAsked: createSeries(0),
  }

  constructor(index: number, info: UpstreamInfo) {
    this.index = index
    this.info = info
    this.name = info.name
    this.users = info.usedBy
  }

  /** Takes the three series that the first event of a connection has. */
  fillShort(history: History['upstreams'][number], times: Series, grid: History): void {
    fillCounts(this.series.attempts, times, history.attempts, grid)
    fillCounts(this.series.failed, times, history.failed, grid)
    fillValues(this.series.p95, times, history.p95, grid)
  }

  /** Takes all series of `GET /dashboard/upstreams/{name}`. */
  fill(history: UpstreamHistory, times: Series): void {
    const { series } = this
    for (const name of counts) fillCounts(series[name], times, history[name], history)
    for (const name of values) fillValues(series[name], times, history[name], history)
    fillValues(
      series.breaker,
      times,
      history.breaker.map(state => breakerStates.indexOf(state)),
      history,
    )
  }

  /** Takes the present values of a sample, but not its counts. */
  set(row: UpstreamSample): void {
    this.health = row.health
    this.since = row.since
    this.reason = row.reason
    this.p50 = row.p50 ?? NaN
    this.p95 = row.p95 ?? NaN
    this.p99 = row.p99 ?? NaN
    this.permits = row.permits
    this.permitLimit = row.permitLimit ?? NaN
    this.queued = row.queued
    this.breaker = row.breaker
    this.origins = row.origins
    this.users = row.usedBy ?? this.users
  }

  /** Adds one point to each series; a sample without a row had no traffic. */
  push(row: UpstreamSample | undefined): void {
    if (row !== undefined) this.set(row)
    const { series } = this
    push(series.attempts, row?.attempts ?? 0)
    push(series.failed, row?.failedAttempts ?? 0)
    push(series.calls, row?.calls ?? 0)
    push(series.lostCalls, row?.lostCalls ?? 0)
    push(series.p50, this.p50)
    push(series.p95, this.p95)
    push(series.p99, this.p99)
    push(series.permits, this.permits)
    push(series.permitLimit, this.permitLimit)
    push(series.queued, this.queued)
    push(series.breaker, breakerStates.indexOf(this.breaker))
    push(series.hedges, row?.hedges ?? 0)
    push(series.hedgesWon, row?.hedgesWon ?? 0)
    push(series.retries, row?.retries ?? 0)
    push(series.refusedResends, row?.refusedResends ?? 0)
    push(series.cacheHits, row?.cacheHits ?? 0)
    push(series.cacheAsked, row?.cacheAsked ?? 0)
  }

  /**
   * Computes the values over the last 10 s.
   *
   * @param count The number of points.
   * @param seconds The time that they cover.
   * @param live The number of points since the first event, which has no history of calls.
   */
  measure(count: number, seconds: number, live: number): void {
    const { attempts, failed, calls, lostCalls } = this.series
    const sum = sumOfLast(attempts, count)
    this.rate = sum / seconds
    this.errorShare = sum === 0 ? NaN : sumOfLast(failed, count) / sum
    const asked = sumOfLast(calls, count)
    this.lostShare = asked === 0 ? NaN : sumOfLast(lostCalls, count) / asked
    const askedFor = (seconds * Math.min(live, count)) / count
    this.traffic = Math.max(this.rate, askedFor === 0 ? 0 : asked / askedFor)
  }

  /** The failed share of the attempts at one point; `NaN` without attempts. */
  errorShareAt(point: number): number {
    if (point < 0 || point >= points) return NaN
    const attempts = this.series.attempts[point] as number
    return attempts === 0 ? NaN : (this.series.failed[point] as number) / attempts
  }
}

const counts = [
  'attempts',
  'failed',
  'hedges',
  'hedgesWon',
  'retries',
  'refusedResends',
  'cacheHits',
  'cacheAsked',
] as const
const values = ['p50', 'p95', 'p99', 'permits', 'permitLimit', 'queued'] as const
