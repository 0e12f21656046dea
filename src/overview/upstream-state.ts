import type { UpstreamHistory, UpstreamSample } from '../dashboard/protocol.ts'
import { UpstreamHealth, type HealthState } from './health.ts'
import type { PointClock, PointRange } from './history.ts'
import { noPercentiles, percentilesOf, type Percentiles } from './percentiles.ts'
import type { breakerStates, UpstreamCounts } from './process-sample.ts'
import { UpstreamPoints, type UpstreamPointName } from './upstream-points.ts'
import { UpstreamValues } from './upstream-values.ts'
import { WindowCounts, WindowNames } from './window-counts.ts'

/** The length of the windows, in ms. */
const longWindow = 10_000
const shortWindow = 2000

/** The places of the counts in the windows. */
const attempts = 0
const failed = 1
const calls = 2

/** The number of samples between two readings of the usual 95th percentile. */
const usualEvery = 10

/** The number of upstreams so far. Their readings of the usual 95th percentile are spread over the samples. */
let created = 0

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
  readonly #points = new UpstreamPoints()
  readonly #latency = new WindowCounts(longWindow)
  readonly #long = new WindowCounts(longWindow)
  readonly #short = new WindowCounts(shortWindow)
  readonly #failures = new WindowNames(longWindow)
  /** The names of the aggregates that were seen to use it. */
  readonly #usedBy = new Set<string>()
  readonly #values = new UpstreamValues()
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
    state.#values.take(this.#values)
    for (const aggregate of this.#usedBy) state.#usedBy.add(aggregate)
    return state
  }

  /**
   * Adds what was counted since the sample before.
   *
   * @param row - The counts and present values; `undefined` if nothing was counted and no present value has changed.
   */
  apply(at: number, clock: PointClock, range: PointRange | undefined, row: UpstreamCounts | undefined): void {
    this.#values.apply(row)
    const tally =
      row === undefined
        ? []
        : [
            attempts,
            this.#values.count('attempts'),
            failed,
            this.#values.count('failedAttempts'),
            calls,
            this.#values.count('calls'),
          ]
    this.#long.add(at, tally)
    this.#short.add(at, tally)
    this.#failures.add(at, row?.failures ?? [])
    this.#latency.add(at, row?.latency ?? [])
    const before = this.#percentiles
    this.#percentiles = percentilesOf(this.#latency)
    this.#points.write(range, clock.last, this.#values.countsByName(), {
      ...this.#values.gaugesByName(),
      ...knownOf(this.#percentiles),
    })
    if (this.#updates++ % usualEvery === 0) this.#usualP95 = this.#points.usual(clock.last, 'p95')
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
    this.#values.breakerChanged(to, isJoined)
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
      attempts: this.#values.count('attempts'),
      failedAttempts: this.#values.count('failedAttempts'),
      calls: this.#values.count('calls'),
      lostCalls: this.#values.count('lostCalls'),
      ...this.#percentiles,
      permits: this.#values.gauge('permits'),
      permitLimit: this.#values.permitLimit,
      queued: this.#values.gauge('queued'),
      breaker: this.#values.breaker,
      hedges: this.#values.count('hedges'),
      hedgesWon: this.#values.count('hedgesWon'),
      retries: this.#values.count('retries'),
      refusedResends: this.#values.count('refusedResends'),
      cacheHits: this.#values.count('cacheHits'),
      cacheAsked: this.#values.count('cacheAsked'),
    }
    const all = this.#values.gauge('origins')
    return {
      ...row,
      ...(all > 0 && { origins: { all, out: this.#values.gauge('originsOut') } }),
      ...(this.#showsUse && { usedBy: this.usedBy }),
    }
  }

  /** Returns the points of one value, the oldest first. */
  points(clock: PointClock, name: UpstreamPointName): Float32Array {
    return this.#points.until(clock.last, name)
  }

  /** Returns all series. */
  history(clock: PointClock): UpstreamHistory {
    return this.#points.history(clock)
  }

  #updateHealth(at: number): void {
    this.#health.update(at, {
      isOff: this.isOff,
      recent: { attempts: this.#short.of(attempts), failed: this.#short.of(failed) },
      window: { calls: this.#long.of(calls), attempts: this.#long.of(attempts), failed: this.#long.of(failed) },
      topFailure: this.#failures.top,
      breaker: this.#values.breaker,
      permits: this.#values.gauge('permits'),
      permitLimit: this.#values.permitLimit,
      queued: this.#values.gauge('queued'),
      origins: this.#values.gauge('origins'),
      originsOut: this.#values.gauge('originsOut'),
      p95: this.#percentiles.p95,
      usualP95: this.#usualP95,
    })
  }
}

/** Returns percentiles as values of points. */
function knownOf({ p50, p95, p99 }: Percentiles) {
  return { p50: p50 ?? NaN, p95: p95 ?? NaN, p99: p99 ?? NaN }
}
