import type { BreakerState, UpstreamSample } from '../../src/dashboard/protocol.ts'
import { fraction } from '../../src/demo-upstreams/random.ts'
import { UpstreamHealth } from '../../src/overview/health.ts'
import type { FleetUpstream } from './fleet-shapes.ts'

/** Samples of 10 s, which the percentiles and the health look at, and of 2 s. */
const longWindow = 20
const shortWindow = 4
/** How long a breaker stays open, and how long the upstream fails before it opens, in ms. */
const openMs = 5000
const opensAfterMs = 2500

/** The model of one upstream: its calls, attempts, breaker, permits and health in steps of half a second. */
export class SimulatedUpstream {
  readonly spec: FleetUpstream
  /** The code of the calls that are lost now. */
  code = 'UPSTREAM_RESET'
  /** The share of the calls of the last sample that were lost. */
  lostShare = 0
  #breaker: BreakerState = 'closed'
  #breakerSince = 0
  readonly health: UpstreamHealth
  readonly #recent: { calls: number; attempts: number; failed: number }[] = []
  readonly #seed: number
  readonly #failsAt: number
  #ticks = 0

  constructor(spec: FleetUpstream, seed: number, startAt: number, failsAt: number) {
    this.spec = spec
    this.#seed = seed
    this.health = new UpstreamHealth(startAt)
    this.#failsAt = failsAt
  }

  get breaker(): BreakerState {
    return this.#breaker
  }

  /** Whether its calls fail at this moment. */
  #isSick(at: number): boolean {
    return this.spec.story === 'failing' && at >= this.#failsAt
  }

  /** Returns the sample of the half second that ends at `at`, in which `calls` calls were made. */
  tick(at: number, index: number, calls: number): UpstreamSample {
    const { spec } = this
    this.#ticks++
    const cacheHits = spec.cached === null ? 0 : this.#count(calls * spec.cached, 1)
    const sent = spec.story === 'off' ? 0 : calls - cacheHits
    const isSick = this.#isSick(at)
    this.#moveBreaker(at, isSick)
    const tries = this.#breaker === 'open' ? 0 : this.#breaker === 'half-open' ? Math.min(3, sent) : sent
    const share = isSick ? 0.94 : spec.story === 'strained' ? 0.035 : 0.0012
    const failedFirst = Math.min(tries, this.#count(tries * share, 2))
    const isProbing = this.#breaker === 'half-open'
    const retries = isProbing ? 0 : Math.min(failedFirst, Math.floor(0.2 * tries) + 1)
    const failedAgain = Math.min(retries, this.#count(retries * share, 3))
    const hedges = spec.isHedged && !isSick ? this.#count(tries * 0.035, 4) : 0
    const attempts = tries + retries + hedges
    const failedAttempts = failedFirst + failedAgain
    const lostCalls = calls - cacheHits - tries + (failedFirst - retries) + failedAgain
    this.code =
      spec.story === 'off'
        ? 'UPSTREAM_OFF'
        : tries === 0 && lostCalls > 0
          ? 'BREAKER_OPEN'
          : isSick
            ? 'UPSTREAM_BUSY'
            : 'UPSTREAM_RESET'
    this.lostShare = calls === 0 ? 0 : lostCalls / calls
    if (isProbing && failedAttempts > 0) this.#turn('open', at)
    this.#recent.push({ calls, attempts, failed: failedAttempts })
    if (this.#recent.length > longWindow) this.#recent.shift()
    const slow = isSick ? 11 : spec.story === 'strained' ? 3.4 : 1
    const window = this.#sum(longWindow)
    const times = (factor: number) => (window.attempts < 5 ? null : rounded(spec.medianMs * slow * factor))
    const p50 = times(this.#wave(0.06, 5))
    const p95 = times(2.5 * this.#wave(0.1, 7))
    const used = Math.min(spec.limit, Math.round((attempts * 2 * (p50 ?? 0)) / 1000 + 0.4 * this.#random(6)))
    const isFull = spec.story === 'strained'
    const permits = isFull ? spec.limit : used
    const queued = isFull ? 1 + this.#count(11 * this.#wave(0.5, 9), 10) : 0
    const { health, since, reason } = this.health.update(at, {
      isOff: spec.story === 'off',
      recent: this.#sum(shortWindow),
      window,
      topFailure: isSick ? '503' : null,
      breaker: this.#breaker,
      permits,
      permitLimit: spec.limit,
      queued,
      origins: 0,
      originsOut: 0,
      p95,
      usualP95: null,
    })
    return {
      index,
      health,
      since,
      reason,
      attempts,
      failedAttempts,
      calls,
      lostCalls,
      p50,
      p95,
      p99: times(4.1 * this.#wave(0.16, 8)),
      permits,
      permitLimit: spec.limit,
      queued,
      breaker: this.#breaker,
      hedges,
      hedgesWon: Math.min(hedges, this.#count(hedges * 0.45, 11)),
      retries,
      refusedResends: failedFirst - retries,
      cacheHits,
      cacheAsked: spec.cached === null ? 0 : calls,
    }
  }

  #moveBreaker(at: number, isSick: boolean): void {
    if (this.#breaker === 'closed' && isSick && at >= this.#failsAt + opensAfterMs) this.#turn('open', at)
    else if (this.#breaker === 'open' && at - this.#breakerSince >= openMs) this.#turn('half-open', at)
    else if (this.#breaker === 'half-open' && !isSick) this.#turn('closed', at)
  }

  #turn(to: BreakerState, at: number): void {
    this.#breaker = to
    this.#breakerSince = at
  }

  #sum(samples: number) {
    let calls = 0
    let attempts = 0
    let failed = 0
    for (let index = Math.max(0, this.#recent.length - samples); index < this.#recent.length; index++) {
      calls += this.#recent[index]?.calls ?? 0
      attempts += this.#recent[index]?.attempts ?? 0
      failed += this.#recent[index]?.failed ?? 0
    }
    return { calls, attempts, failed }
  }

  #random(salt: number): number {
    return fraction(this.#seed + salt * 7919, this.#ticks)
  }

  /** Returns an integer whose mean is `mean`. */
  #count(mean: number, salt: number): number {
    return Math.floor(mean + this.#random(salt))
  }

  /** Returns a factor around 1 that changes slowly, with some noise. */
  #wave(size: number, salt: number): number {
    return 1 + size * Math.sin(this.#ticks / (23 + salt) + this.#seed) + size * (this.#random(salt) - 0.5)
  }
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10
}
