import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../../src/fanout/aggregate.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { json, rawUpstream } from '../../helpers/raw-upstream.ts'
import { serve } from './helpers/serve.ts'
import { openStream } from './helpers/streamed.ts'

const Any = z.unknown()

async function hanging(t: Test, drainTimeout: number) {
  const answers: (() => void)[] = []
  const upstream = await rawUpstream(t, socket => {
    answers.push(() => socket.write(json('at last')))
  })
  const options = { origin: upstream.origin, attemptTimeout: 20_000 }
  const up = defineUpstream('up', options, { one: operation({ path: '/', output: Any }) })
  const served = await serve(
    t,
    [
      aggregate('needed', { url: '/needed', deadline: 20_000 })
        .required('it', () => up.one())
        .reply(Any, ({ it }) => it),
      aggregate('wanted', { url: '/wanted', deadline: 20_000 })
        .optional('it', () => up.one(), { fallback: 'instead' })
        .reply(Any, ({ it }) => it),
      aggregate('stuck', { url: '/stuck', deadline: 20_000 })
        .required('it', () => new Promise(() => {}))
        .reply(Any, () => 1),
    ],
    { drainTimeout },
  )
  return { ...served, upstream, answers }
}

test('at the drain timeout a stream ends with its reply, or with a problem', async t => {
  const { app, origin, upstream } = await hanging(t, 50)
  const streams = await Promise.all(['/needed', '/wanted', '/stuck'].map(path => openStream(origin + path)))
  for (const stream of streams) await stream.nextOf('plan')
  await upstream.asked(2)
  const closed = app.close()
  const [needed, wanted, stuck] = streams as [(typeof streams)[0], (typeof streams)[0], (typeof streams)[0]]
  t.match(await needed.nextOf('problem'), {
    status: 503,
    headers: { 'retry-after': '1' },
    body: { code: 'RUNTIME_CLOSED' },
  })
  t.match(await wanted.nextOf('reply'), { status: 200, body: { data: 'instead', complete: false } })
  t.match(await stuck.nextOf('problem'), {
    status: 503,
    headers: { 'retry-after': '1' },
    body: { code: 'DRAINING', sources: { it: { state: 'cancelled' } } },
  })
  for (const stream of streams) t.equal(await stream.next(), undefined, 'the stream is whole')
  await closed
})

test('a stream that ends while the service drains closes its connection', async t => {
  const { app, port, upstream, answers } = await hanging(t, 20_000)
  const caller = connect(port, '127.0.0.1')
  await once(caller, 'connect')
  caller.write('GET /needed HTTP/1.1\r\nhost: a\r\naccept: application/x-ndjson\r\n\r\n')
  await upstream.asked(1)
  const received = text(caller)
  const closed = app.close()
  for (const answer of answers) answer()
  const answer = await received
  t.match(answer, /"event":"reply".*"data":"at last"/)
  t.ok(answer.endsWith('\r\n0\r\n\r\n'), 'nothing follows the stream')
  await closed
})
