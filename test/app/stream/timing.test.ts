import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../../src/fanout/aggregate.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { delayingUpstream } from '../../helpers/delaying-upstream.ts'
import { isExact } from '../../helpers/timing.ts'
import { untilEvent } from '../../helpers/until.ts'
import { serve } from './helpers/serve.ts'
import type { AnyEvent } from './helpers/streamed.ts'

const rounds = isExact ? 20 : 5
/** The times have slack where other tests share the machine. */
const slack = isExact ? 1 : 10

const medianOf = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] as number

test('the events of a stream arrive as their sources answer, after 10, 100 and 700 ms', async t => {
  const { origin } = await delayingUpstream(t)
  const one = operation({ path: '/{ms}/x', params: z.object({ ms: z.int() }), output: z.looseObject({}) })
  const up = defineUpstream('up', { origin }, { one })
  const described = aggregate('three', { url: '/three' })
    .required('fast', () => up.one({ ms: 10 }))
    .required('middle', () => up.one({ ms: 100 }))
    .optional('slow', () => up.one({ ms: 700 }), { fallback: {} })
    .reply(z.array(z.looseObject({})), ({ fast, middle, slow }) => [fast, middle, slow])
  const { port } = await serve(t, [described])
  const caller = connect({ port, host: '127.0.0.1', noDelay: true })
  t.teardown(() => caller.destroy())
  await once(caller, 'connect')
  /** Sends one request, and returns the times at which its events arrived, in ms. */
  const ask = async () => {
    const at = new Map<string, number>()
    const start = performance.now()
    caller.write('GET /three HTTP/1.1\r\nhost: a\r\naccept: application/x-ndjson\r\n\r\n')
    let text = ''
    const read = (chunk: Buffer) => {
      const lines = (text + chunk.toString()).split('\n')
      text = lines.pop() as string
      for (const line of lines) {
        if (!line.startsWith('{')) continue
        const event = JSON.parse(line) as AnyEvent
        const key = event.event === 'source' ? `source ${event.name}` : event.event
        if (!at.has(key)) at.set(key, performance.now() - start)
      }
    }
    caller.on('data', read)
    await untilEvent(caller, 'data', () => at.has('reply'))
    caller.off('data', read)
    return at
  }
  // The first round opens the connections.
  await ask()
  const all: Map<string, number>[] = []
  for (let round = 0; round < rounds; round++) all.push(await ask())
  const median = (key: string) => medianOf(all.map(at => at.get(key) as number))
  const keys = ['plan', 'source fast', 'source middle', 'snapshot', 'reply']
  t.comment(keys.map(key => `${key}: ${median(key).toFixed(1)} ms`).join(', '))
  t.ok(median('plan') < 10 * slack, 'plan')
  t.ok(median('source fast') < 40 * slack, 'first source')
  t.ok(median('snapshot') < median('source middle') + 15 * slack, 'first snapshot after the last required source')
  t.ok(median('snapshot') > 100 && median('source fast') < median('source middle'), 'in the order of the sources')
  t.ok(median('reply') < 750 + 50 * (slack - 1), 'reply')
})
