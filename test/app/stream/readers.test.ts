import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../../src/fanout/aggregate.ts'
import * as families from '../../../src/metrics/families.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { createRuntime } from '../../../src/upstream/runtime.ts'
import { collected } from '../../helpers/collected.ts'
import { logLines } from '../../helpers/log-lines.ts'
import { valuesOf } from '../../helpers/metric-values.ts'
import { rawUpstream } from '../../helpers/raw-upstream.ts'
import { until } from '../../helpers/until.ts'
import { serve } from './helpers/serve.ts'

/** More than the buffers of a connection take. */
const long = 'a'.repeat(24 * 1024 * 1024)

const head = (path: string) => `GET ${path} HTTP/1.1\r\nhost: a\r\naccept: application/x-ndjson\r\n\r\n`

interface Line {
  readonly msg: string
  readonly stream?: string
  readonly closedBy?: string
}

test('a reader that stops is cut when its time is over, and its calls are aborted', async t => {
  const upstream = await rawUpstream(t, () => {})
  const options = { origin: upstream.origin, attemptTimeout: 60_000 }
  const up = defineUpstream('up', options, { one: operation({ path: '/', output: z.string() }) })
  const described = aggregate('held', { url: '/held', deadline: 60_000 })
    .required('long', () => long)
    .optional('held', () => up.one(), { fallback: '' })
    .reply(z.string(), ({ long }) => long)
  const runtime = createRuntime()
  const log = logLines<Line>()
  const streams = { readTimeout: 200 }
  const { port } = await serve(t, [described], { runtime, streams, logger: { level: 'info', stream: log.stream } })
  const caller = connect(port, '127.0.0.1').on('error', () => {})
  await once(caller, 'connect')
  caller.write(head('/held'))
  await once(caller, 'readable')
  await upstream.asked(1)
  await upstream.deserted()
  t.match(await log.line(({ msg }) => msg.startsWith('connection closed')), { stream: 'ndjson', closedBy: 'service' })
  t.same(valuesOf(runtime, families.streams), { 'ndjson cut': 1 })
  t.match(valuesOf(runtime, families.openStreams), { '': 0 })
  caller.destroy()
})

test('a reader that stops within the last event is cut too, and one that reads slowly gets all of it', async t => {
  const described = aggregate('long', { url: '/long' })
    .required('long', () => long)
    .reply(z.string(), ({ long }) => long)
  const runtime = createRuntime()
  const { port } = await serve(t, [described], { runtime, streams: { readTimeout: 1000 } })
  const stopped = connect(port, '127.0.0.1').on('error', () => {})
  await once(stopped, 'connect')
  stopped.write(head('/long'))
  await until(() => valuesOf(runtime, families.streams)['ndjson cut'] === 1)
  stopped.destroy()

  const slow = connect(port, '127.0.0.1')
  await once(slow, 'connect')
  slow.write(head('/long').replace('\r\n\r\n', '\r\nconnection: close\r\n\r\n'))
  let body = ''
  slow.setEncoding('utf8').on('data', (part: string) => {
    body += part
    slow.pause()
    setTimeout(() => slow.resume(), 2)
  })
  await once(slow, 'end')
  t.ok(body.endsWith('}\n\r\n0\r\n\r\n'), 'the whole stream')
  t.match(valuesOf(runtime, families.streams), { 'ndjson reply': 1 })
})

test('a stream whose last event is text does not keep the data of the reply', async t => {
  let data: WeakRef<object> | undefined
  const described = aggregate('long', { url: '/long' })
    .required('long', () => long)
    .reply(z.unknown(), ({ long }) => {
      const merged = { long }
      data = new WeakRef(merged)
      return merged
    })
  const { port } = await serve(t, [described])
  const caller = connect(port, '127.0.0.1').on('error', () => {})
  t.teardown(() => caller.destroy())
  await once(caller, 'connect')
  caller.write(head('/long'))
  await until(() => data !== undefined)
  await until(
    async () => {
      await collected()
      return data?.deref() === undefined
    },
    { withinMs: 5000 },
  )
  t.notOk(caller.destroyed, 'the caller has not read the stream')
})

test('a stream of server-sent events without an event gets a comment', async t => {
  const described = aggregate('held', { url: '/held', deadline: 20_000 })
    .required('held', () => new Promise<string>(() => {}))
    .reply(z.string(), ({ held }) => held)
  const { origin } = await serve(t, [described], { streams: { heartbeat: 1000 } })
  const controller = new AbortController()
  const { body } = await fetch(`${origin}/held`, {
    headers: { accept: 'text/event-stream' },
    signal: controller.signal,
  })
  const texts: string[] = []
  for await (const part of (body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream())) {
    texts.push(part)
    if (texts.length === 3) break
  }
  t.match(texts, [/^retry: 1000\n\nid: .*\nevent: plan\n/, ':\n\n', ':\n\n'])
  controller.abort()
})
