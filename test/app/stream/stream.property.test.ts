import fc from 'fast-check'
import { test } from 'tap'
import { z } from 'zod'
import { buildApp } from '../../../src/app.ts'
import { UpstreamError } from '../../../src/errors.ts'
import type { SourcesLevel } from '../../../src/fanout/sources-level.ts'
import { heldRuntime, type HeldCall, type HeldRuntime } from '../../helpers/held-runtime.ts'
import { builderOf, nameOf, plans, valuesOf, type Plan } from '../../helpers/random-aggregate.ts'
import { turn } from '../../helpers/turn.ts'
import { withoutTimes, type AnyEvent } from './helpers/streamed.ts'

const kinds: readonly Plan['kind'][] = ['optional', 'each', 'pages', 'required', 'firstOf', 'plain', 'asking']

interface Order {
  readonly picks: readonly number[]
  readonly failures: readonly boolean[]
}

const orders: fc.Arbitrary<Order> = fc.record({
  picks: fc.array(fc.nat(50), { minLength: 5, maxLength: 30 }),
  failures: fc.array(
    fc.nat(4).map(pick => pick === 0),
    { minLength: 5, maxLength: 30 },
  ),
})

/** Ends the held calls of a run, in an order and with failures that depend on the arguments alone. */
async function release(runtime: HeldRuntime, { picks, failures }: Order): Promise<void> {
  const open: HeldCall[] = []
  let known = 0
  for (let at = 0; at < 1000; at++) {
    await turn()
    await turn()
    open.push(...runtime.calls.slice(known))
    known = runtime.calls.length
    const [held] = open.splice((picks[at % picks.length] as number) % Math.max(1, open.length), 1)
    if (held === undefined) return
    if (failures[at % failures.length] === true) held.fail(new UpstreamError('UPSTREAM_RESET', 'oracle'))
    else held.answer(`answer ${held.path}`)
  }
}

/** Throws unless the lines are the events of a stream, in an order that is allowed. */
function checkGrammar(events: readonly AnyEvent[], level: SourcesLevel): void {
  const ended = new Set<string>()
  for (const [at, event] of events.entries()) {
    const isLast = event.event === 'reply' || event.event === 'problem'
    if ((event.event === 'plan') !== (at === 0)) throw new Error(`${event.event} at ${at}`)
    if (isLast !== (at === events.length - 1)) throw new Error(`${event.event} at ${at} of ${events.length}`)
    if (event.event !== 'item' && event.event !== 'source') continue
    if (level === 'none') throw new Error(`${event.event} with none`)
    if (ended.has(event.name)) throw new Error(`${event.event} after the end of ${event.name}`)
    if (event.event === 'source') ended.add(event.name)
  }
}

const levels = fc.constantFrom<SourcesLevel>('full', 'states', 'none')

const counts = new Map<string, number>()

test('in every graph and order of arrival the last event of a stream has the bytes of the plain reply', async t => {
  await fc.assert(
    fc.asyncProperty(plans(1, kinds), orders, levels, async (steps, order, level) => {
      const described = builderOf(steps).reply(z.record(z.string(), z.unknown()), args => valuesOf(steps, args))
      const ask = async (accept: string) => {
        const runtime = heldRuntime()
        const app = buildApp([described], { runtime, sources: level })
        const headers = { accept, 'x-request-id': 'same' }
        const [response] = await Promise.all([
          app.inject({ url: '/random', headers }),
          app.ready().then(() => release(runtime, order)),
        ])
        await app.close()
        return response
      }
      const plain = await ask('application/json')
      const stream = await ask('application/x-ndjson')
      const lines = stream.body.split('\n')
      if (stream.statusCode !== 200 || lines.pop() !== '') throw new Error('the stream is not whole')
      const events = lines.map(line => JSON.parse(line) as AnyEvent)
      checkGrammar(events, level)
      const last = lines.at(-1) as string
      const body = last.slice(last.indexOf(',"body":') + ',"body":'.length, -1)
      t.equal(withoutTimes(body), withoutTimes(plain.body))
      t.equal((events.at(-1) as { readonly status: number }).status, plain.statusCode)
      if (level === 'none')
        for (const line of lines.slice(0, -1))
          for (const index of steps.keys())
            t.notOk(line.replace(/"data":\{.*?\}/, '').includes(`"${nameOf(index)}"`), 'no step is named')
      for (const { event } of events) counts.set(event, (counts.get(event) ?? 0) + 1)
    }),
    { numRuns: 80 },
  )
  for (const event of ['plan', 'item', 'source', 'snapshot', 'reply', 'problem'])
    t.ok((counts.get(event) ?? 0) > 0, `${event}: ${counts.get(event)}`)
})
