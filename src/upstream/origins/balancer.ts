import { untried } from './candidates.ts'
import { outliersOf } from './latency-window.ts'
import { BalancedMember } from './member.ts'
import { OriginStates } from './origin-states.ts'
import { LeftOrigins } from './origin-totals.ts'
import { pickOfTwo } from './pick.ts'
import type { Balancer, BalancerGauge, BalancerOptions, Endpoint, Member, OriginVerdict } from './types.ts'

/** The length of a window in which latencies are compared, in ms. */
const windowMs = 1000

/** Returns a balancer without members. */
export function createBalancer<T extends object>(options: BalancerOptions): Balancer<T> {
  return new PeakEwmaBalancer<T>(options)
}

/** Chooses among the members by peak EWMA, and ejects members that fail or are slow. */
class PeakEwmaBalancer<T extends object> implements Balancer<T> {
  readonly #options: BalancerOptions
  readonly #now: () => number
  readonly #random: () => number
  readonly #states: OriginStates<T>
  readonly #left = new LeftOrigins()
  #panics = 0
  #window = 0

  constructor(options: BalancerOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
    this.#random = options.random ?? Math.random
    this.#states = new OriginStates(options)
  }

  get members(): readonly Member<T>[] {
    return this.#states.members
  }

  set(endpoints: readonly Endpoint[], open: (endpoint: Endpoint) => T): readonly Member<T>[] {
    const before = new Map(this.#states.members.map(member => [member.endpoint.key, member]))
    const after = new Map<string, BalancedMember<T>>()
    const added: BalancedMember<T>[] = []
    for (const endpoint of endpoints) {
      if (after.has(endpoint.key)) continue
      const known = before.get(endpoint.key)
      if (known !== undefined) known.endpoint = endpoint
      const member = known ?? this.#create(endpoint, open(endpoint))
      after.set(endpoint.key, member)
      if (known === undefined && !endpoint.isInitial) added.push(member)
    }
    const removed = this.#states.members.filter(({ endpoint }) => !after.has(endpoint.key))
    for (const member of removed) {
      member.isRemoved = true
      this.#left.leave(member.gauge)
    }
    this.#states.replace([...after.values()], added, this.#now())
    for (const { endpoint } of removed) this.#options.onChange?.(endpoint.label, 'removed')
    for (const { endpoint } of added) this.#options.onChange?.(endpoint.label, 'added')
    return removed
  }

  pick(tried: readonly object[] | undefined): Member<T> | undefined {
    const at = this.#now()
    this.#states.endPastEjections(at)
    const { members, isPanic, evenFrom } = this.#states.candidates
    if (isPanic) this.#panics++
    return pickOfTwo(untried(members, tried), at >= evenFrom, at, this.#random)
  }

  started(member: Member<T>): void {
    own(member).active++
  }

  ended(ofAttempt: Member<T>, ms: number, verdict: OriginVerdict): void {
    const member = own(ofAttempt)
    if (member.isRemoved) return this.#left.ended(member.endpoint.label, verdict)
    const at = this.#now()
    this.#states.endPastEjections(at)
    this.#turnWindow(at)
    const { latency } = member
    const isEvidence = at - ms >= member.ejection.startedAt
    switch (verdict) {
      case 'ok':
        member.attempts++
        latency.add(ms, at)
        if (isEvidence) this.#onSuccess(member, ms, at)
        break
      case 'failed':
        member.attempts++
        member.failed++
        latency.add(this.#failureLatency(member, ms), at)
        if (isEvidence) this.#onFailure(member, at)
        break
      case 'ignored':
        latency.add(this.#failureLatency(member, ms), at)
        break
      case 'aborted':
        // The attempt would have taken longer: only a latency above the average is evidence.
        if (ms > latency.average) latency.add(ms, at)
    }
  }

  released(member: Member<T>): void {
    own(member).release(this.#now())
  }

  setHealthy(ofCheck: Member<T>, isHealthy: boolean): void {
    const member = own(ofCheck)
    if (!member.isRemoved) this.#states.setHealthy(member, isHealthy, this.#now())
  }

  gauge(): BalancerGauge {
    this.#states.endPastEjections(this.#now())
    const origins = this.#states.members.map(({ gauge }) => gauge)
    return { panics: this.#panics, origins, totals: this.#left.totals(origins) }
  }

  #create(endpoint: Endpoint, value: T): BalancedMember<T> {
    return new BalancedMember(endpoint, value, {
      slowStart: this.#options.balance.slowStart,
      consecutiveFailures: this.#states.ejection.consecutiveFailures,
    })
  }

  #onSuccess(member: BalancedMember<T>, ms: number, at: number): void {
    member.window.add(ms)
    const wasFailing = member.isFailing
    // An ejected member gets attempts in panic only, when each member that answers is needed.
    if (member.state === 'ejected') this.#states.endEjection(member, at)
    member.ejection.failures = 0
    if (wasFailing) this.#states.update()
  }

  #onFailure(member: BalancedMember<T>, at: number): void {
    const wasFailing = member.isFailing
    member.ejection.failures++
    if (!member.isFailing) return
    if (!wasFailing) this.#states.update()
    this.#states.eject(member, at)
  }

  /**
   * Returns the latency that counts for an attempt without an answer: at least that of the other members. Failures are
   * often fast, and must not make the origin look better than the others.
   */
  #failureLatency(member: BalancedMember<T>, ms: number): number {
    return Math.max(ms, member.latency.average, this.#states.usualLatency(member))
  }

  /** Compares the latencies of the last window when the next one has begun. */
  #turnWindow(at: number): void {
    const window = Math.floor(at / windowMs)
    if (window === this.#window) return
    const { members, ejection } = this.#states
    if (window === this.#window + 1)
      for (const member of outliersOf(members, ejection.latencyRatio)) this.#states.eject(member, at)
    for (const member of members) member.window.clear()
    this.#window = window
  }
}

/** The balancer creates all members. */
const own = <T extends object>(member: Member<T>) => member as BalancedMember<T>
