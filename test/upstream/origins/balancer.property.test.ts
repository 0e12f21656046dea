import fc from 'fast-check'
import { test } from 'tap'
import { createBalancer } from '../../../src/upstream/origins/balancer.ts'
import { transitions } from '../../../src/upstream/origins/origin-states.ts'
import type { Member, OriginState, OriginVerdict } from '../../../src/upstream/origins/types.ts'
import { balanceSpec } from '../../../src/upstream/spec/balance-spec.ts'
import { endpoint, type Named } from '../../helpers/balanced-origins.ts'
import { handClock } from '../../helpers/hand-clock.ts'
import { randomOf } from '../../helpers/random-of.ts'

type Act =
  | { readonly type: 'set'; readonly names: readonly string[]; readonly weight: number }
  | { readonly type: 'start'; readonly tried: number }
  | { readonly type: 'end'; readonly which: number; readonly verdict: OriginVerdict }
  | { readonly type: 'release'; readonly which: number }
  | { readonly type: 'health'; readonly which: number; readonly isHealthy: boolean }
  | { readonly type: 'pass'; readonly ms: number }

const which = fc.nat(50)
const acts: fc.Arbitrary<Act[]> = fc.array(
  fc.oneof(
    {
      weight: 1,
      arbitrary: fc.record({
        type: fc.constant('set' as const),
        names: fc.subarray(['a', 'b', 'c', 'd', 'e', 'f', 'g']),
        weight: fc.integer({ min: 1, max: 1000 }),
      }),
    },
    { weight: 12, arbitrary: fc.record({ type: fc.constant('start' as const), tried: fc.nat(4) }) },
    {
      weight: 12,
      arbitrary: fc.record({
        type: fc.constant('end' as const),
        which,
        verdict: fc.constantFrom(
          'ok' as const,
          'failed' as const,
          'failed' as const,
          'failed' as const,
          'aborted' as const,
          'ignored' as const,
        ),
      }),
    },
    { weight: 10, arbitrary: fc.record({ type: fc.constant('release' as const), which }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('health' as const), which, isHealthy: fc.boolean() }) },
    { weight: 6, arbitrary: fc.record({ type: fc.constant('pass' as const), ms: fc.constantFrom(1, 20, 300, 1500) }) },
  ),
  { minLength: 50, maxLength: 300, size: 'max' },
)

const maxDuration = 4000
const ratios = fc.record({ maxRatio: fc.constantFrom(0, 0.34, 0.5), panicRatio: fc.constantFrom(0, 0.5, 1) })

/** An attempt that has started. */
interface Started {
  readonly member: Member<Named>
  readonly at: number
  hasEnded: boolean
}

test('each history of origins, attempts, health checks and time keeps the limits of the balancer', t => {
  const seen = { panics: 0, ejections: 0, returns: 0 }
  fc.assert(
    fc.property(acts, ratios, fc.nat(), (list, { maxRatio, panicRatio }, seed) => {
      const clock = handClock(0)
      const states = new Map<string, { state: OriginState; since: number }>()
      const inFlight: Started[] = []
      const picked: Named[] = []
      const balancer = createBalancer<Named>({
        balance: balanceSpec('the test', {
          ejection: { consecutiveFailures: 2, duration: 500, maxDuration, maxRatio },
          slowStart: 700,
          panicRatio,
        }),
        now: () => clock.steady(),
        random: randomOf(seed),
        onChange(origin, state) {
          if (state === 'removed') states.delete(origin)
          else if (state !== 'added') {
            const before = states.get(origin)?.state ?? 'available'
            if (!transitions[before].includes(state)) throw new Error(`${origin}: ${before} → ${state}`)
            if (state === 'ejected') seen.ejections++
            if (before === 'ejected') seen.returns++
            states.set(origin, { state, since: clock.steady() })
          }
        },
      })

      /** Picks a member that is not in `tried` if there is another candidate. */
      function pick(tried: readonly Named[]): Member<Named> | undefined {
        const { panics: before } = balancer.gauge()
        const available = balancer.members.filter(({ gauge }) => gauge.state === 'available')
        const member = balancer.pick(tried)
        const isPanic = balancer.gauge().panics > before
        if (isPanic) seen.panics++
        const candidates = isPanic ? balancer.members : available
        if (member === undefined) {
          if (balancer.members.length > 0) throw new Error('a call was refused')
        } else if (!candidates.includes(member)) throw new Error('not a candidate')
        else if (tried.includes(member.value) && candidates.some(({ value }) => !tried.includes(value)))
          throw new Error('a member was tried again')
        return member
      }

      function play(act: Act): void {
        switch (act.type) {
          case 'set':
            balancer.set(
              act.names.map((name, index) => endpoint(name, index === 0 ? act.weight : 1)),
              ({ key }) => ({ name: key }),
            )
            break
          case 'start': {
            const member = pick(act.tried === 0 ? [] : picked.slice(-act.tried))
            if (member === undefined) break
            picked.push(member.value)
            balancer.started(member)
            inFlight.push({ member, at: clock.steady(), hasEnded: false })
            break
          }
          case 'end': {
            const running = inFlight.filter(({ hasEnded }) => !hasEnded)
            const attempt = running[act.which % running.length]
            if (attempt === undefined) break
            attempt.hasEnded = true
            balancer.ended(attempt.member, clock.steady() - attempt.at, act.verdict)
            break
          }
          case 'release': {
            const index = inFlight.findIndex(({ hasEnded }) => hasEnded)
            if (index !== -1) for (const { member } of inFlight.splice(index, 1)) balancer.released(member)
            break
          }
          case 'health': {
            const member = balancer.members[act.which % balancer.members.length]
            if (member !== undefined) balancer.setHealthy(member, act.isHealthy)
            break
          }
          case 'pass':
            clock.pass(act.ms)
        }
      }

      for (const act of list) {
        play(act)
        const { origins } = balancer.gauge()
        const ejected = origins.filter(({ state }) => state === 'ejected')
        if (ejected.length > Math.floor(maxRatio * origins.length)) throw new Error(`${ejected.length} are ejected`)
        for (const { origin, state, latencyMs } of origins) {
          const known = states.get(origin) ?? { state: 'available', since: 0 }
          if (state !== known.state) throw new Error(`${origin} is ${state}, and ${known.state} was reported`)
          if (state === 'ejected' && clock.steady() - known.since > maxDuration) throw new Error('ejected for too long')
          if (latencyMs !== null && !(latencyMs > 0 && latencyMs < Infinity)) throw new Error(`${latencyMs} ms`)
        }
        for (const member of balancer.members) {
          const active = inFlight.filter(attempt => attempt.member === member).length
          if (member.gauge.active !== active) throw new Error(`${member.gauge.active} of ${active} are active`)
        }
      }
    }),
    { numRuns: 300 },
  )
  t.ok(seen.panics > 20 && seen.ejections > 20 && seen.returns > 20, JSON.stringify(seen))
  t.end()
})
