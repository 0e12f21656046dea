import type { BreakerState, Health } from '../dashboard/protocol.ts'

/** The values that decide the health of an upstream, at one moment. */
export interface Symptoms {
  /** True if the upstream is switched off by configuration. */
  readonly isOff: boolean
  /** The attempts that ended in the last 2 s, and those of them that failed. */
  readonly recent: { readonly attempts: number; readonly failed: number }
  /** The calls and attempts that ended in the last 10 s, and the attempts that failed. */
  readonly window: { readonly calls: number; readonly attempts: number; readonly failed: number }
  /** The most frequent failure of the last 10 s, such as `503` or `UPSTREAM_TIMEOUT`; `null` without one. */
  readonly topFailure: string | null
  readonly breaker: BreakerState
  readonly permits: number
  readonly permitLimit: number | null
  readonly queued: number
  /** The origins of an upstream with several, and those of them that are ejected or unhealthy. */
  readonly origins: number
  readonly originsOut: number
  /** The 95th percentile of the last 10 s, in ms; `null` if it is not known. */
  readonly p95: number | null
  /** The median of the 95th percentiles of the last two minutes, in ms; `null` if too few are known. */
  readonly usualP95: number | null
}

/** The health of an upstream with its start and its reason. */
export interface HealthState {
  readonly health: Health
  /** The start, in ms since 1970. */
  readonly since: number
  /** The reason in words; empty if the upstream is healthy. */
  readonly reason: string
}

/** The time for which a sick upstream must have no reason before it is less sick, in ms. */
const holdMs = 5000

/** The time for which an idle upstream shows what it was before, in ms. */
const rememberMs = 60_000

/** The number of samples in a row for which permits or the queue must be short. */
const shortSamples = 3

/** The order of the states by their severity. */
const severity: Readonly<Record<Health, number>> = { off: 0, idle: 0, healthy: 0, strained: 1, failing: 2 }

/**
 * The health of one upstream: `idle ⇄ healthy ⇄ strained ⇄ failing`, or `off`. A worse state begins at once. A state
 * that is less bad begins when the reasons of the present one have been absent for 5 s, so that it does not flicker.
 * docs/design.md has the same table.
 */
export class UpstreamHealth {
  #state: HealthState
  /** The last moment at which the present state had a reason. */
  #reasonAt: number
  #before: { readonly health: Health; readonly until: number } | undefined
  #shortInRow = 0

  constructor(at: number) {
    this.#state = { health: 'idle', since: at, reason: noAttempts }
    this.#reasonAt = at
  }

  get state(): HealthState {
    return this.#state
  }

  /** Decides the health at a moment. */
  update(at: number, symptoms: Symptoms): HealthState {
    this.#shortInRow = isShort(symptoms) ? this.#shortInRow + 1 : 0
    const now = this.#diagnosis(symptoms)
    const { health, since } = this.#state
    if (now.health === health) {
      this.#reasonAt = at
      this.#state = { health, since, reason: this.#withMemory(at, now) }
    } else if (severity[now.health] >= severity[health] || at - this.#reasonAt >= holdMs || now.health === 'off') {
      this.#before = { health, until: at }
      this.#reasonAt = at
      this.#state = { health: now.health, since: at, reason: this.#withMemory(at, now) }
    }
    return this.#state
  }

  #diagnosis(symptoms: Symptoms): { readonly health: Health; readonly reason: string } {
    if (symptoms.isOff) return { health: 'off', reason: 'switched off by configuration' }
    const failing = reasonsOfFailing(symptoms)
    if (failing !== '') return { health: 'failing', reason: failing }
    const strained = reasonsOfStrained(symptoms, this.#shortInRow >= shortSamples)
    if (strained !== '') return { health: 'strained', reason: strained }
    if (symptoms.window.attempts === 0) return { health: 'idle', reason: noAttempts }
    return { health: 'healthy', reason: '' }
  }

  #withMemory(at: number, { health, reason }: { readonly health: Health; readonly reason: string }): string {
    const before = this.#before
    const isRemembered =
      health === 'idle' && before !== undefined && severity[before.health] > 0 && at - before.until < rememberMs
    return isRemembered ? `${reason}; it was ${before.health} before` : reason
  }
}

const noAttempts = 'no attempt in the last 10 s'

function reasonsOfFailing({ recent, window, topFailure, breaker }: Symptoms): string {
  const reasons: string[] = []
  const isRecent = recent.failed >= 3 && recent.failed >= recent.attempts * 0.25
  if (isRecent || (window.failed >= 5 && window.failed >= window.attempts * 0.1))
    reasons.push(failedText(isRecent ? recent : window, topFailure))
  // Without a call, an open breaker says nothing about the present: it is tested by the next call.
  if ((breaker === 'open' || breaker === 'half-open') && window.calls > 0) reasons.push(`circuit breaker ${breaker}`)
  return reasons.join(', ')
}

function reasonsOfStrained(symptoms: Symptoms, isShortForLong: boolean): string {
  const { window, topFailure, queued, permits, permitLimit, origins, originsOut, p95, usualP95 } = symptoms
  const reasons: string[] = []
  const areSome = window.failed >= 3 && window.failed >= window.attempts * 0.05
  // An upstream that is called once in 5 s has two attempts in the window. One failed attempt may be a chance.
  const areAll = window.failed >= 2 && window.failed === window.attempts
  if (areSome || areAll) reasons.push(failedText(window, topFailure))
  if (isShortForLong) {
    if (queued > 0) reasons.push(`${queued} ${queued === 1 ? 'call waits' : 'calls wait'} for a permit`)
    else reasons.push(`${permits} of ${permitLimit} permits in use`)
  }
  if (originsOut > 0)
    reasons.push(`${originsOut} of ${origins} origins ${originsOut === 1 ? 'is' : 'are'} ejected or unhealthy`)
  if (p95 !== null && usualP95 !== null && p95 > usualP95 * 3 && p95 > usualP95 + 50)
    reasons.push(`p95 is ${Math.round(p95)} ms, usually ${Math.round(usualP95)} ms`)
  return reasons.join(', ')
}

function isShort({ queued, permits, permitLimit }: Symptoms): boolean {
  return queued > 0 || (permitLimit !== null && permits >= permitLimit * 0.9)
}

function failedText({ attempts, failed }: Symptoms['recent'], topFailure: string | null): string {
  const percent = Math.round((failed / attempts) * 100)
  const cause = topFailure === null ? '' : ` (${failureText(topFailure)})`
  return `${percent} % of the attempts fail${cause}`
}

/** Returns a status or a code in words. */
function failureText(failure: string): string {
  return Number.isNaN(Number(failure)) ? failure : `status ${failure}`
}
