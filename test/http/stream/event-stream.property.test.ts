import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import fc from 'fast-check'
import { test } from 'tap'
import { Problem } from '../../../src/errors.ts'
import { OpenStreams } from '../../../src/http/connection/open-streams.ts'
import { EventStream, type StreamSource } from '../../../src/http/stream/event-stream.ts'
import { readStreamOptions } from '../../../src/http/stream/stream-options.ts'
import { WrittenEvent } from '../../../src/http/stream/waiting-event.ts'
import * as families from '../../../src/metrics/families.ts'
import { RuntimeCounters } from '../../../src/metrics/runtime-counters.ts'
import { turn } from '../../helpers/turn.ts'
import { until } from '../../helpers/until.ts'

const actions = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('open', 'send', 'turn') },
    { weight: 1, arbitrary: fc.constantFrom('item', 'finish', 'plain', 'head', 'drain', 'stuck', 'leave', 'close') },
  ),
  { maxLength: 15 },
)

const id = { run: '7e1a3b52-5f0e-4c43-9a53-0d6a4c1b2f10', attempt: 1 } as const

test('a stream takes only the transitions of the table and ends once, whatever happens in which order', async t => {
  const app = fastify()
  t.teardown(() => app.close())
  let receive: (exchange: readonly [FastifyRequest, FastifyReply]) => void = () => {}
  app.get('/', (request, reply) => receive([request, reply]))
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const ends = new Map<string, number>()

  await fc.assert(
    fc.asyncProperty(actions, async history => {
      const exchange = new Promise<readonly [FastifyRequest, FastifyReply]>(resolve => (receive = resolve))
      const caller = connect(port, '127.0.0.1').on('error', () => {})
      await once(caller, 'connect')
      caller.resume().write('GET / HTTP/1.1\r\nhost: a\r\n\r\n')
      const [request, reply] = await exchange
      const counters = new RuntimeCounters()
      const open = new OpenStreams(1000, () => history.includes('close'))
      const limits = readStreamOptions('app', { maxBytes: 4096 })
      const calls: string[] = []
      const finish = (event: string) => {
        if (stream.isOpen) stream.finish(new WrittenEvent(event, '{}'))
      }
      const source: StreamSource = {
        closed: () => void calls.push('closed'),
        interrupted: () => finish('problem'),
        drained: () => {},
      }
      const stream = new EventStream(request, reply, 'sse', id, { limits, open, metrics: counters.streams }, source)
      const act: Readonly<Record<(typeof history)[number], () => unknown>> = {
        open: () => stream.isOpening && stream.open(new WrittenEvent('plan', '{}')),
        send: () => stream.send(new WrittenEvent('source', '{}')),
        item: () => stream.sendUnlessBehind(new WrittenEvent('item', '{}')),
        finish: () => finish('reply'),
        plain: () => {
          if (!stream.isOpening) return
          stream.becomePlain()
          reply.code(400).send('{}')
        },
        head: () => stream.isOpening && stream.sendHead(),
        drain: () => open.endAll(new Problem('DRAINING')),
        stuck: () => open.size > 0 && stream.check(performance.now() + 100_000),
        leave: () => caller.destroy(),
        close: () => {},
        turn: () => {},
      }
      for (const action of history) {
        act[action]()
        if (action === 'turn') await turn()
      }
      act.finish()
      if (stream.isOpening) caller.destroy()
      // A plain reply, and the end of a stream, close the response.
      await until(() => reply.raw.closed || reply.raw.writableFinished)
      await turn()
      caller.destroy()
      if (calls.length > 1) throw new Error(`${calls.length} times closed`)
      if (open.size > 0) throw new Error('the stream is still open')
      const table = counters.metrics.table(families.streams)
      const counted = table.labels.filter((_, slot) => table.values[slot] === 1)
      if (counted.length > 1) throw new Error(counted.join())
      const end = counted[0] ?? 'none'
      ends.set(end, (ends.get(end) ?? 0) + 1)
      t.ok(end.includes('cut') || end.includes('left') ? calls.length === 1 : true, end)
    }),
    { numRuns: 400 },
  )
  t.comment(JSON.stringify([...ends]))
  for (const end of ['none', 'reply', 'problem', 'cut', 'left'])
    t.ok(
      [...ends.keys()].some(each => each.includes(end)),
      end,
    )
})
