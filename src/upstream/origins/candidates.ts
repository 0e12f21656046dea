import type { BalanceSpec } from '../spec/balance-spec.ts'
import { returnOf } from './ejection.ts'
import type { BalancedMember } from './member.ts'

/** The members among which the next attempts choose, until the state or the weight of a member changes. */
export interface Candidates<T extends object> {
  readonly members: readonly BalancedMember<T>[]
  /** True if all members are candidates because too few are good. */
  readonly isPanic: boolean
  /** The time from which the shares of the candidates are equal, in ms. */
  readonly evenFrom: number
  /** The end of the ejection that ends first, in ms. */
  readonly nextReturn: number
}

/**
 * Returns the candidates: the members that are available, or in panic all members.
 *
 * Panic: the good members are less than `panicRatio` of all. They could not carry the load of all, so it is spread over
 * all (Envoy's panic threshold). A member that fails and is not ejected, because `maxRatio` are ejected already, is not
 * good: otherwise the members that fail and may not be ejected would get most of the calls.
 */
export function candidatesOf<T extends object>(
  all: readonly BalancedMember<T>[],
  { panicRatio, slowStart }: BalanceSpec,
): Candidates<T> {
  const available = all.filter(({ state }) => state === 'available')
  const good = available.filter(({ isFailing }) => !isFailing).length
  const isPanic = all.length > 0 && (available.length === 0 || good < panicRatio * all.length)
  const members = isPanic ? all : available
  const weight = members[0]?.relativeWeight
  return {
    members,
    isPanic,
    evenFrom: members.every(({ relativeWeight }) => relativeWeight === weight)
      ? Math.max(...members.map(({ growsFrom }) => growsFrom + slowStart))
      : Infinity,
    nextReturn: Math.min(...all.map(returnOf)),
  }
}

/** Returns the members that were not tried, else those except the last one that was tried, else all. */
export function untried<T extends object>(
  members: readonly BalancedMember<T>[],
  tried: readonly object[] | undefined,
): readonly BalancedMember<T>[] {
  if (tried === undefined || tried.length === 0) return members
  const fresh = members.filter(({ value }) => !tried.includes(value))
  if (fresh.length > 0) return fresh
  const others = members.filter(({ value }) => value !== tried.at(-1))
  return others.length > 0 ? others : members
}
