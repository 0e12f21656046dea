import type { BalanceSpec } from '../spec/balance-spec.ts'
import type { EjectionOptions } from '../spec/origin-options.ts'
import { candidatesOf, type Candidates } from './candidates.ts'
import { ejectedOf, maxEjected, noEjection, returnOf } from './ejection.ts'
import { median } from './median.ts'
import type { BalancedMember } from './member.ts'
import type { BalancerOptions, OriginState } from './types.ts'

/** All transitions. docs/origins.md has the same table. */
export const transitions: Readonly<Record<OriginState, readonly OriginState[]>> = {
  available: ['ejected', 'unhealthy'],
  ejected: ['available', 'unhealthy'],
  unhealthy: ['available', 'ejected'],
}

/**
 * The states of the members of a balancer, and the candidates that follow from them.
 *
 * An ejection ends when its time has passed, which the next pick or end of an attempt notices. It ends earlier if an
 * attempt in panic succeeds, or if members leave and too large a share of the others is ejected. A member that becomes
 * available begins again: with the median latency of the other members, and with a small share that grows.
 */
export class OriginStates<T extends object> {
  members: readonly BalancedMember<T>[] = []
  candidates: Candidates<T>
  readonly ejection: Required<EjectionOptions>
  readonly #balance: BalanceSpec
  readonly #onChange: BalancerOptions['onChange']

  constructor({ balance, onChange }: BalancerOptions) {
    this.ejection = balance.ejection === false ? noEjection : balance.ejection
    this.#balance = balance
    this.#onChange = onChange
    this.candidates = candidatesOf(this.members, balance)
  }

  /**
   * Replaces the members.
   *
   * @param added - Those that begin with a small share.
   */
  replace(members: readonly BalancedMember<T>[], added: readonly BalancedMember<T>[], at: number): void {
    this.members = members
    for (const member of added) member.begin(this.usualLatency(member), at)
    this.update()
    const ejected = ejectedOf(members)
    for (const member of ejected.slice(0, Math.max(0, ejected.length - maxEjected(members, this.ejection))))
      this.endEjection(member, at)
  }

  /** Ejects a member unless the largest share of the members is ejected already. */
  eject(member: BalancedMember<T>, at: number): void {
    if (member.state === 'ejected' || ejectedOf(this.members).length >= maxEjected(this.members, this.ejection)) return
    this.#change(member, at, () => member.ejection.start(at, this.ejection))
  }

  endEjection(member: BalancedMember<T>, at: number): void {
    this.#change(member, at, () => member.ejection.end(at, this.ejection))
  }

  /** Ends the ejections whose time has passed. */
  endPastEjections(at: number): void {
    if (at < this.candidates.nextReturn) return
    for (const member of ejectedOf(this.members)) if (returnOf(member) <= at) this.endEjection(member, at)
  }

  setHealthy(member: BalancedMember<T>, isHealthy: boolean, at: number): void {
    this.#change(member, at, () => {
      member.isHealthy = isHealthy
    })
  }

  /** Computes the candidates again after a weight has changed, or after a member has begun or ceased to fail. */
  update(): void {
    const sum = this.members.reduce((weights, { endpoint }) => weights + endpoint.weight, 0)
    for (const member of this.members) member.relativeWeight = (member.endpoint.weight * this.members.length) / sum
    this.candidates = candidatesOf(this.members, this.#balance)
  }

  /**
   * Returns the median of the average latencies of the other members, in ms; 0 before their first latency.
   *
   * @param except - The member that does not count.
   */
  usualLatency(except: BalancedMember<T>): number {
    const averages = this.members.map(member => (member === except ? 0 : member.latency.average))
    return median(averages.filter(average => average > 0)) ?? 0
  }

  #change(member: BalancedMember<T>, at: number, change: () => void): void {
    const before = member.state
    change()
    const { state } = member
    if (state === before) return
    if (state === 'available') member.begin(this.usualLatency(member), at)
    this.update()
    this.#onChange?.(member.endpoint.label, state)
  }
}
