import type { BreakerState, Health, UpstreamSample } from '../../src/dashboard/protocol.ts'
import { fraction } from '../../src/demo-upstreams/random.ts'
import type { FleetUpstream } from './fleet-shapes.ts'

/** Samples of 10 s, which the percentiles and the health look at, and of 2 s. */
const longWindow = 20
const shortWindow = 4
/** How long a breaker stays open, and how long the upstream fails before it opens, in ms. */
const openMs = 5000
const opensAfterMs = 2500
/** How long a state of health holds, in ms. */
const holdMs = 5000

/** The model of one upstream: its calls, attempts, breaker, permits and health in steps of half a second. */
export class SimulatedUpstream {
  readonly spec: FleetUpstream
  /** The code of the calls that are lost now. */
  code = 'UPSTREAM_RESET'
  /** The share of the calls of the last sample that were lost. */
  lostShare = 0
  #breaker: BreakerState = 'closed'
  #breakerSince = 0
  #health: Health = 'idle'
  #since: number
  #lastBad = -Infinity
  readonly #recent: { attempts: number; failed: number }[] = []
  readonly #seed: number
  readonly #failsAt: number
  #ticks = 0

  constructor(spec: FleetUpstream, seed: number, startAt: number, failsAt: number) {
    this.spec = spec
    this.#seed = seed
    this.#since = startAt
    this.#failsAt = failsAt
  }

  get breaker(): BreakerState {
    return this.#breaker
  }

  get health(): Health {
    return this.#health
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
    this.#recent.push({ attempts, failed: failedAttempts })
    if (this.#recent.length > longWindow) this.#recent.shift()
    const reason = this.#judge(at)
    const slow = isSick ? 11 : spec.story === 'strained' ? 3.4 : 1
    const hasTimes = this.#sum(longWindow).attempts >= 5
    const p50 = spec.medianMs * slow * this.#wave(0.06, 5)
    const permits = Math.min(spec.limit, Math.round((attempts * 2 * p50) / 1000 + 0.4 * this.#random(6)))
    const isFull = spec.story === 'strained'
    return {
      index,
      health: this.#health,
      since: this.#since,
      reason,
      attempts,
      failedAttempts,
      calls,
      lostCalls,
      p50: hasTimes ? rounded(p50) : null,
      p95: hasTimes ? rounded(spec.medianMs * slow * 2.5 * this.#wave(0.1, 7)) : null,
      p99: hasTimes ? rounded(spec.medianMs * slow * 4.1 * this.#wave(0.16, 8)) : null,
      permits: isFull ? spec.limit : permits,
      permitLimit: spec.limit,
      queued: isFull ? this.#count(12 * this.#wave(0.5, 9), 10) : 0,
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

  /** Sets the health, and returns its reason in words. */
  #judge(at: number): string {
    const short = this.#sum(shortWindow)
    const long = this.#sum(longWindow)
    const percent = long.attempts === 0 ? 0 : Math.round((100 * long.failed) / long.attempts)
    const isOpen = this.#breaker === 'open' || this.#breaker === 'half-open'
    const isFailing =
      isOpen ||
      (short.failed >= 3 && short.failed >= 0.25 * short.attempts) ||
      (long.failed >= 5 && long.failed >= 0.1 * long.attempts)
    const isStrained = this.spec.story === 'strained' && long.attempts > 0
    const next: Health =
      this.spec.story === 'off'
        ? 'off'
        : isFailing
          ? 'failing'
          : isStrained
            ? 'strained'
            : long.attempts === 0
              ? 'idle'
              : 'healthy'
    if (next === 'failing' || next === 'strained') this.#lastBad = at
    if (next !== this.#health && (next !== 'healthy' || at - this.#lastBad >= holdMs)) {
      this.#health = next
      this.#since = at
    }
    if (this.#health === 'failing')
      return isOpen ? 'circuit breaker open' : `${percent} % of its attempts fail (503 UPSTREAM_BUSY)`
    return this.#health === 'strained' ? 'calls wait for a permit' : ''
  }

  #sum(samples: number) {
    let attempts = 0
    let failed = 0
    for (let index = Math.max(0, this.#recent.length - samples); index < this.#recent.length; index++) {
      attempts += this.#recent[index]?.attempts ?? 0
      failed += this.#recent[index]?.failed ?? 0
    }
    return { attempts, failed }
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
