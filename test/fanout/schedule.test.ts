import fc from 'fast-check'
import { test } from 'tap'
import { UpstreamError } from '../../src/errors.ts'
import type { RunEvent } from '../../src/fanout/events.ts'
import { heldRuntime, type HeldCall } from '../helpers/held-runtime.ts'
import { aggregateOf, nameOf, plans, type Plan } from '../helpers/random-aggregate.ts'
import { turn } from '../helpers/turn.ts'
import { watched } from '../helpers/watched.ts'

type Held = ReturnType<typeof heldRuntime>

/** Ends held calls in an order of the property's choosing until nothing is left to end. */
async function release(runtime: Held, steps: readonly Plan[], picks: readonly number[]): Promise<void> {
  const open: HeldCall[] = []
  let known = 0
  for (let at = 0; ; at++) {
    await turn()
    open.push(...runtime.calls.slice(known))
    known = runtime.calls.length
    const [held] = open.splice((picks[at % picks.length] as number) % Math.max(1, open.length), 1)
    if (held === undefined) return
    const { kind, failing } = steps[held.call.step] as Plan
    if (failing && (kind === 'optional' || kind === 'each' || kind === 'asking'))
      held.fail(new UpstreamError('UPSTREAM_RESET', 'oracle'))
    else held.answer(`answer ${held.path}`)
  }
}

/** Where in the list of events a step started and ended. */
function moments(events: readonly RunEvent[], type: 'step started' | 'step ended'): ReadonlyMap<number, number> {
  return new Map(events.flatMap((event, at) => (event.type === type ? [[event.step, at] as const] : [])))
}

const kinds = ['required', 'optional', 'each', 'firstOf', 'plain', 'asking'] as const

test('in every graph and order of arrival a step starts at the moment its last need has ended, and the run ends', async t => {
  await fc.assert(
    fc.asyncProperty(plans(5, kinds), fc.array(fc.nat(50), { minLength: 5, maxLength: 30 }), async (steps, picks) => {
      const seenBy = new Map<number, readonly string[]>()
      const runtime = heldRuntime()
      const { reply, events } = watched(
        aggregateOf(steps, {
          asked: (index, seen) =>
            seenBy.set(
              index,
              Object.keys(seen).filter(key => key.startsWith('s')),
            ),
        }),
        { runtime },
      )
      await release(runtime, steps, picks)
      const { data } = (await reply) as { readonly data: Readonly<Record<string, unknown>> }

      const started = moments(events, 'step started')
      const ended = moments(events, 'step ended')
      for (const [index, { needs }] of steps.entries()) {
        const start = started.get(index) as number
        // Never before its needs have values, and those values are all that it is given.
        if (!needs.every(need => (ended.get(need) as number) < start)) return false
        if (String(seenBy.get(index)) !== String(needs.map(nameOf))) return false
        // Never later than it could: between its last need's end and its own start nothing but other steps' starts and
        // sync ends.
        // The event at 0 is the start of the run.
        const last = Math.max(0, ...needs.map(need => ended.get(need) as number))
        const between = events.slice(last + 1, start)
        if (events[0]?.type !== 'run started') return false
        if (between.some(({ type }) => type !== 'step started' && type !== 'step ended')) return false
        if (needs.length > 0 && (events[start]?.at ?? 0) - (events[last]?.at ?? 0) > 1000) return false
      }
      // Values stand in the order of declaration whatever came first.
      return (
        String(Object.keys(data)) === String(steps.map((_, index) => nameOf(index))) &&
        events.at(-1)?.type === 'run ended'
      )
    }),
    { numRuns: 60 },
  )
  t.pass('held for 60 graphs')
})

test('a step is asked in the same synchronous turn in which its last need ends', async t => {
  const steps: Plan[] = [
    { kind: 'required', needs: [], calls: 1, late: false, failing: false },
    { kind: 'required', needs: [], calls: 1, late: false, failing: false },
    { kind: 'required', needs: [0, 1], calls: 1, late: false, failing: false },
  ]
  const runtime = heldRuntime()
  const log: string[] = []
  const { reply } = watched(aggregateOf(steps, { asked: index => log.push(`asked ${index}`) }), {
    runtime,
    onEvent(event) {
      if (event.type === 'step ended') {
        log.push(`ended ${event.step}`)
        queueMicrotask(() => log.push('next microtask'))
      }
    },
  })
  runtime.at('/1.0').answer(1)
  await turn()
  t.strictSame(log, ['asked 0', 'asked 1', 'ended 1', 'next microtask'])
  runtime.at('/0.0').answer(0)
  await turn()
  t.strictSame(log.slice(4), ['ended 0', 'asked 2', 'next microtask'])
  runtime.at('/2.0').answer(2)
  t.strictSame((await reply).data, { s0: 0, s1: 1, s2: 2 })
})

test('steps without needs are all asked before the run hands control back', t => {
  const steps = Array.from({ length: 6 }, (): Plan => ({
    kind: 'required',
    needs: [],
    calls: 1,
    late: false,
    failing: false,
  }))
  const runtime = heldRuntime()
  const { run } = watched(aggregateOf(steps), { runtime })
  t.equal(runtime.calls.length, 6)
  run.cancel(new Error('enough seen'))
  t.end()
})

test('200 orders of arrival of the same answers give the same bytes of data', async t => {
  const steps: Plan[] = [
    { kind: 'each', needs: [], calls: 4, late: false, failing: false },
    { kind: 'optional', needs: [], calls: 1, late: false, failing: true },
    { kind: 'each', needs: [], calls: 3, late: true, failing: true },
    { kind: 'required', needs: [0, 1], calls: 1, late: false, failing: false },
    { kind: 'optional', needs: [3], calls: 1, late: true, failing: false },
    { kind: 'each', needs: [1, 2], calls: 2, late: false, failing: false },
    { kind: 'asking', needs: [1], calls: 4, late: false, failing: true },
  ]
  const described = aggregateOf(steps)
  const bytes = new Set<string>()
  const orders = new Set<string>()
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(50), { minLength: 15, maxLength: 15 }), async picks => {
      const runtime = heldRuntime()
      const { reply, events } = watched(described, { runtime })
      await release(runtime, steps, picks)
      bytes.add(JSON.stringify((await reply).data))
      orders.add(
        events
          .filter(({ type }) => type === 'step ended')
          .map(event => ('step' in event ? event.step : ''))
          .join(),
      )
    }),
    { numRuns: 200 },
  )
  t.equal(bytes.size, 1)
  t.ok(orders.size > 5, `steps ended in ${orders.size} different orders`)
})

test('a step that names a need twice waits for it once', async t => {
  const steps: Plan[] = [
    { kind: 'plain', needs: [], calls: 1, late: false, failing: false },
    { kind: 'plain', needs: [0, 0], calls: 1, late: false, failing: false },
  ]
  t.match(await watched(aggregateOf(steps), { runtime: heldRuntime(), deadline: 50 }).reply, {
    data: { s0: 'plain 0', s1: 'plain 1' },
    complete: true,
  })
})
