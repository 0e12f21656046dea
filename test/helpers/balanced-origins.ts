import { createBalancer } from '../../src/upstream/origins/balancer.ts'
import type { Balancer, Endpoint, Member, OriginVerdict } from '../../src/upstream/origins/types.ts'
import { balanceSpec } from '../../src/upstream/spec/balance-spec.ts'
import type { BalanceOptions } from '../../src/upstream/spec/origin-options.ts'
import { handClock } from './hand-clock.ts'
import { randomOf } from './random-of.ts'

export interface BalancedOptions extends BalanceOptions {
  readonly random?: () => number
}

/** The value of a member in tests. */
export interface Named {
  readonly name: string
}

/** An origin `http://NAME` whose key and label are the name. */
export const endpoint = (name: string, weight = 1, isInitial = false): Endpoint => ({
  key: name,
  url: new URL(`http://${name}`),
  target: undefined,
  weight,
  label: name,
  isInitial,
})

/** A balancer with one member per letter of `names`, and a clock that the test moves. */
export function balanced(names: string, { random = randomOf(1), ...options }: BalancedOptions = {}) {
  const clock = handClock(0)
  const changes: string[] = []
  const balancer = createBalancer<Named>({
    balance: balanceSpec('the test', options),
    now: () => clock.steady(),
    random,
    onChange: (origin, state) => changes.push(`${origin} ${state}`),
  })
  const set = (endpoints: readonly Endpoint[]) => balancer.set(endpoints, ({ key }) => ({ name: key }))
  set(Array.from(names, name => endpoint(name, 1, true)))
  const gaugeOf = (name: string) => balancer.gauge().origins.find(({ origin }) => origin === name)

  /** Makes one attempt at each of these members at the same time. The clock passes `ms`. */
  function together(names: string, verdict: OriginVerdict = 'ok', ms = 0): void {
    const members = Array.from(names, name => memberOf(balancer, name))
    for (const member of members) balancer.started(member)
    clock.pass(ms)
    for (const member of members) {
      balancer.ended(member, ms, verdict)
      balancer.released(member)
    }
  }

  /** Makes attempts at a member, one after the other. */
  function attempts(count: number, name: string, verdict: OriginVerdict = 'ok', ms = 0): void {
    for (let made = 0; made < count; made++) together(name, verdict, ms)
  }

  /** Returns the part of the picks that each member gets. No attempts are made. */
  function shares(picks = 10_000): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {}
    for (let made = 0; made < picks; made++) {
      const name = balancer.pick(undefined)?.value.name ?? 'none'
      counts[name] = (counts[name] ?? 0) + 1 / picks
    }
    return counts
  }

  return {
    balancer,
    clock,
    changes,
    set,
    gaugeOf,
    together,
    member: (name: string) => memberOf(balancer, name),
    attempts,
    shares,
  }
}

function memberOf(balancer: Balancer<Named>, name: string): Member<Named> {
  const member = balancer.members.find(({ value }) => value.name === name)
  if (member === undefined) throw new Error(`${name} is not a member`)
  return member
}
