import type { UpstreamHistory, UpstreamSample } from '../dashboard/protocol.ts'
import { UpstreamHealth, type HealthState } from './health.ts'
import { pointMs, Points, type PointClock, type PointRange } from './history.ts'
import { noPercentiles, percentilesOf, rounded, type Percentiles } from './percentiles.ts'
import { breakerStates, upstreamCountNames, upstreamGaugeNames, type UpstreamCounts } from './process-sample.ts'
import { WindowCounts, WindowNames } from './window-counts.ts'

type CountName = (typeof upstreamCountNames)[number]
type GaugeName = (typeof upstreamGaugeNames)[number]

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

/** The length of the windows, in ms. */
const longWindow = 10_000
const shortWindow = 2000

/** The places of the counts in the windows. */
const attempts = 0
const failed = 1
const calls = 2

/** The number of upstreams so far. Their readings of the usual 95th percentile are spread over the samples. */
let created = 0

/** The number of samples between two readings of the usual 95th percentile, and of the points that it needs. */
const usualEvery = 10
const usualPoints = 40

const noCounts: readonly number[] = upstreamCountNames.map(() => 0)

/** The definition of an upstream, as far as the overview needs it. */
export interface WatchedUpstream {
  readonly name: string
  /** The origin after overrides, without user and password. */
  readonly origin: string
  readonly operations: readonly string[]
  /** True if it is switched off by configuration. */
  readonly isOff: boolean
}

/** The present state of one upstream and its last two minutes. */
export class UpstreamState {
  readonly name: string
  isOff: boolean
  readonly #health: UpstreamHealth
  readonly #points = new Points(pointNames, { p50: NaN, p95: NaN, p99: NaN })
  readonly #latency = new WindowCounts(longWindow)
  readonly #long = new WindowCounts(longWindow)
  readonly #short = new WindowCounts(shortWindow)
  readonly #failures = new WindowNames(longWindow)
  /** The names of the aggregates that were seen to use it. */
  readonly #usedBy = new Set<string>()
  #gauges: readonly number[] = upstreamGaugeNames.map(() => 0)
  #counts = noCounts
  #percentiles: Percentiles = noPercentiles
  #usualP95: number | null = null
  #updates = created++
  #isChanged = true
  #isUseNew = false
  /** True if the sample of this moment has the aggregates. */
  #showsUse = false

  constructor({ name, isOff }: Pick<WatchedUpstream, 'name' | 'isOff'>, at: number) {
    this.name = name
    this.isOff = isOff
    this.#health = new UpstreamHealth(at)
  }

  get health(): HealthState {
    return this.#health.state
  }

  /** True if the sample of this moment has a row for it. */
  get isChanged(): boolean {
    return this.#isChanged
  }

  get usedBy(): readonly string[] {
    return [...this.#usedBy].sort()
  }

  /** Notes that an aggregate uses it. */
  used(aggregate: string): void {
    if (this.#usedBy.has(aggregate)) return
    this.#usedBy.add(aggregate)
    this.#isUseNew = true
  }

  /** Forgets which aggregates use it, because their definitions have changed. */
  forgetUse(): void {
    this.#usedBy.clear()
  }

  /** Returns a state with the same present values and without a past. */
  begunAgain(at: number): UpstreamState {
    const state = new UpstreamState(this, at)
    state.#gauges = this.#gauges
    for (const aggregate of this.#usedBy) state.#usedBy.add(aggregate)
    return state
  }

  /**
   * Adds what was counted since the sample before.
   *
   * @param row - The counts and present values; `undefined` if nothing was counted and no present value has changed.
   */
  apply(at: number, clock: PointClock, range: PointRange | undefined, row: UpstreamCounts | undefined): void {
    this.#counts = row?.counts ?? noCounts
    this.#gauges = row?.gauges ?? this.#gauges
    const tally =
      row === undefined
        ? []
        : [attempts, this.#count('attempts'), failed, this.#count('failedAttempts'), calls, this.#count('calls')]
    this.#long.add(at, tally)
    this.#short.add(at, tally)
    this.#failures.add(at, row?.failures ?? [])
    this.#latency.add(at, row?.latency ?? [])
    const before = this.#percentiles
    this.#percentiles = percentilesOf(this.#latency)
    this.#points.write(range, clock.last, this.#countsByName(), this.#valuesByName())
    if (this.#updates++ % usualEvery === 0) this.#usualP95 = usual(this.#points.until(clock.last, 'p95'))
    const { health, reason } = this.health
    this.#updateHealth(at)
    this.#isChanged =
      row !== undefined ||
      this.#isUseNew ||
      health !== this.health.health ||
      reason !== this.health.reason ||
      before.p50 !== this.#percentiles.p50 ||
      before.p95 !== this.#percentiles.p95 ||
      before.p99 !== this.#percentiles.p99
    this.#showsUse = this.#isUseNew
    this.#isUseNew = false
  }

  /**
   * Changes the state of the breaker at once.
   *
   * @param isJoined - True if the state is the worst one of several processes. Only the next sample can make it better.
   */
  breakerChanged(at: number, to: (typeof breakerStates)[number], isJoined: boolean): void {
    // A call has changed it, which the next sample counts.
    this.#long.add(at, [calls, 1])
    const index = breakerStates.indexOf(to)
    if (!isJoined || index > this.#gauge('breaker'))
      this.#gauges = this.#gauges.with(upstreamGaugeNames.indexOf('breaker'), index)
    this.#updateHealth(at)
  }

  /**
   * Returns the row of the sample.
   *
   * @param index - The place of the upstream in `hello`.
   */
  sample(index: number): UpstreamSample {
    const { health, since, reason } = this.health
    const row: UpstreamSample = {
      index,
      health,
      since,
      reason,
      attempts: this.#count('attempts'),
      failedAttempts: this.#count('failedAttempts'),
      calls: this.#count('calls'),
      lostCalls: this.#count('lostCalls'),
      ...this.#percentiles,
      permits: this.#gauge('permits'),
      permitLimit: this.#permitLimit,
      queued: this.#gauge('queued'),
      breaker: this.#breaker,
      hedges: this.#count('hedges'),
      hedgesWon: this.#count('hedgesWon'),
      retries: this.#count('retries'),
      refusedResends: this.#count('refusedResends'),
      cacheHits: this.#count('cacheHits'),
      cacheAsked: this.#count('cacheAsked'),
    }
    const all = this.#gauge('origins')
    return {
      ...row,
      ...(all > 0 && { origins: { all, out: this.#gauge('originsOut') } }),
      ...(this.#showsUse && { usedBy: this.usedBy }),
    }
  }

  /** Returns the points of one value, the oldest first. */
  points(clock: PointClock, name: (typeof pointNames)[number]): Float32Array {
    return this.#points.until(clock.last, name)
  }

  /** Returns all series. */
  history(clock: PointClock): UpstreamHistory {
    const series = (name: (typeof pointNames)[number]) => Array.from(this.points(clock, name), rounded)
    const known = (name: (typeof pointNames)[number]) =>
      Array.from(this.points(clock, name), value => (Number.isNaN(value) ? null : rounded(value)))
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
      breaker: Array.from(this.points(clock, 'breaker'), state => breakerStates[state] ?? 'none'),
      hedges: series('hedges'),
      hedgesWon: series('hedgesWon'),
      retries: series('retries'),
      refusedResends: series('refusedResends'),
      cacheHits: series('cacheHits'),
      cacheAsked: series('cacheAsked'),
    }
  }

  #updateHealth(at: number): void {
    this.#health.update(at, {
      isOff: this.isOff,
      recent: { attempts: this.#short.of(attempts), failed: this.#short.of(failed) },
      window: { calls: this.#long.of(calls), attempts: this.#long.of(attempts), failed: this.#long.of(failed) },
      topFailure: this.#failures.top,
      breaker: this.#breaker,
      permits: this.#gauge('permits'),
      permitLimit: this.#permitLimit,
      queued: this.#gauge('queued'),
      origins: this.#gauge('origins'),
      originsOut: this.#gauge('originsOut'),
      p95: this.#percentiles.p95,
      usualP95: this.#usualP95,
    })
  }

  #count(name: CountName): number {
    return this.#counts[upstreamCountNames.indexOf(name)] as number
  }

  #gauge(name: GaugeName): number {
    return this.#gauges[upstreamGaugeNames.indexOf(name)] as number
  }

  get #permitLimit(): number | null {
    return this.#gauge('permitLimit') || null
  }

  get #breaker(): (typeof breakerStates)[number] {
    return breakerStates[this.#gauge('breaker')] ?? 'none'
  }

  #countsByName(): Partial<Record<CountName, number>> {
    return Object.fromEntries(upstreamCountNames.map((name, at) => [name, this.#counts[at]]))
  }

  #valuesByName() {
    const { p50, p95, p99 } = this.#percentiles
    return {
      ...Object.fromEntries(upstreamGaugeNames.map((name, at) => [name, this.#gauges[at]])),
      p50: p50 ?? NaN,
      p95: p95 ?? NaN,
      p99: p99 ?? NaN,
    }
  }
}

/** Returns the median of the known values; `null` if there are too few. */
function usual(values: Float32Array): number | null {
  const known = values.filter(value => !Number.isNaN(value)).sort()
  return known.length < usualPoints ? null : (known[known.length >> 1] as number)
}
