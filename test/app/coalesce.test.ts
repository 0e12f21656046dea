import { once } from 'node:events'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import type { Socket } from 'node:net'
import { test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'
import { serveApp } from '../helpers/served-app.ts'
import { untilEvent } from '../helpers/until.ts'

const callers = 1000

test('a thousand equal requests at once make one upstream call, and get its response after the first caller has gone', async t => {
  let answer = () => {}
  const upstream = await rawUpstream(t, (socket: Socket) => {
    answer = () => socket.write(json({ words: 'one for all' }))
  })
  const shared = defineUpstream(
    'shared',
    { origin: upstream.origin, attemptTimeout: 60_000 },
    {
      get: operation({ path: '/', output: z.object({ words: z.string() }), coalesce: true }),
    },
  )
  const all = aggregate('all', { url: '/all', deadline: 60_000 })
    .required('answer', () => shared.get())
    .reply(z.object({ words: z.string() }), ({ answer }) => answer)
  let came = 0
  let left = 0
  const { port, app } = await serveApp(t, {
    aggregates: [all],
    // The callers are in the same process.
    pressure: { loopDelay: 0 },
    before(app) {
      app.addHook('preHandler', (_request, _reply, done) => {
        came++
        app.server.emit('came')
        done()
      })
      app.addHook('onRequestAbort', (_request, done) => {
        left++
        app.server.emit('left')
        done()
      })
    },
  })
  const ask = () => request({ host: '127.0.0.1', port, path: '/all', agent: false }).end()

  const first = ask()
  first.on('error', () => {})
  await upstream.asked(1)
  const others = Array.from({ length: callers - 1 }, async () => {
    const [response] = await once(ask(), 'response')
    return { status: response.statusCode as number, body: JSON.parse(await text(response)) as unknown }
  })
  await untilEvent(app.server, 'came', () => came >= callers)
  first.destroy()
  await untilEvent(app.server, 'left', () => left !== 0)
  answer()

  const answers = await Promise.all(others)
  t.equal(answers.filter(({ status }) => status === 200).length, callers - 1)
  t.match(answers[0]?.body, { complete: true, data: { words: 'one for all' } })
  t.equal(upstream.requests.length, 1)
})
