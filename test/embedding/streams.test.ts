import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import fastify from 'fastify'
import { test } from 'tap'
import { z } from 'zod'
import { aggregate, headwaters, refuse } from '../../src/index.ts'
import { listening } from '../helpers/listening.ts'
import { until } from '../helpers/until.ts'
import { streamed } from '../app/stream/helpers/streamed.ts'

const described = aggregate('one', { url: '/one', query: z.object({ at: z.string().optional() }), batch: true })
  .context(({ query }) => (query.at === 'context' ? refuse(404, 'Not here.') : {}))
  .required('step', ({ query }): unknown => (query.at === 'step' ? refuse(409, 'Taken.') : 'value'))
  .reply(z.unknown(), ({ step }) => step)

const aggregates = [described]

test('the plugin serves streams, with the headers of the hooks of the app and without its onSend hooks', async t => {
  const app = fastify()
  const sent: unknown[] = []
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('x-own', 'a')
  })
  app.addHook('onSend', async (_request, _reply, payload) => {
    sent.push(payload)
    return payload
  })
  await app.register(headwaters, { aggregates, prefix: '/api', streams: { maxBytes: 4096 } })
  await listening(t, app)
  const { port } = app.server.address() as { readonly port: number }
  const got = await streamed(`http://127.0.0.1:${port}/api/one`)
  t.equal(got.headers.get('x-own'), 'a')
  t.match(got.events, [
    { event: 'plan', steps: [{ name: 'step' }] },
    { event: 'source', name: 'step' },
    { event: 'reply', body: { data: 'value', complete: true } },
  ])
  t.same(sent, [])
  const wrong = fastify().register(headwaters, { aggregates, streams: { maxBytes: 1 } })
  await t.rejects(Promise.resolve(wrong), { message: /streams\.maxBytes must be a whole number/ })
})

test('an error handler of the app gets the failure before the plan, and a later one is a problem event', async t => {
  const app = fastify()
  const codes: unknown[] = []
  app.setErrorHandler((error: { readonly code?: unknown }, _request, reply) => {
    codes.push(error.code)
    return reply.code(418).send({ own: true })
  })
  await app.register(headwaters, { aggregates })
  await listening(t, app)
  const { port } = app.server.address() as { readonly port: number }
  const early = await streamed(`http://127.0.0.1:${port}/one?at=context`)
  t.match(early, { status: 418, text: '{"own":true}' })
  const late = await streamed(`http://127.0.0.1:${port}/one?at=step`)
  t.match(late, { status: 200 })
  t.match(late.events.at(-1), { event: 'problem', status: 409, body: { code: 'REFUSED', detail: 'Taken.' } })
  t.same(codes, ['REFUSED'])
})

test('an app that closes lets its streams end, and then closes their connections', async t => {
  let end = () => {}
  const held = aggregate('held', { url: '/held', deadline: 20_000 })
    .required('step', () => new Promise<string>(resolve => (end = () => resolve('value'))))
    .reply(z.unknown(), ({ step }) => step)
  const app = fastify()
  await app.register(headwaters, { aggregates: [held] })
  await listening(t, app)
  const { port } = app.server.address() as { readonly port: number }
  const caller = connect(port, '127.0.0.1')
  await once(caller, 'connect')
  caller.write('GET /held HTTP/1.1\r\nhost: a\r\naccept: application/x-ndjson\r\n\r\n')
  await once(caller, 'readable')
  const received = text(caller)
  const closed = app.close()
  end()
  t.match(await received, /"event":"reply"[^]*\r\n0\r\n\r\n$/)
  await closed
})

test('a header of a hook that cannot be sent fails the request before its plan, and ends its run', async t => {
  const app = fastify()
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('x-own', 'a\u0000')
  })
  const load = { runs: 0, served: 0, refused: 0, shedOptional: false }
  await app.register(headwaters, { aggregates, load })
  t.teardown(() => app.close())
  for (const accept of ['application/json', 'application/x-ndjson']) {
    const response = await app.inject({ url: '/one', headers: { accept } })
    t.equal(response.statusCode, 500, accept)
    const payload = { calls: [{ id: 'a', operation: 'one' }] }
    const batch = await app.inject({ method: 'POST', url: '/v1/batch', headers: { accept }, payload })
    t.equal(batch.statusCode, 500, `a batch, ${accept}`)
    t.equal(load.runs, 0)
  }
})

test('a stream works over HTTP/2', async t => {
  const app = fastify({ http2: true })
  await app.register(headwaters, { aggregates })
  t.teardown(() => app.close())
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as { readonly port: number }
  const session = connectHttp2(`http://127.0.0.1:${port}`)
  t.teardown(() => session.close())
  const stream = session.request({ ':path': '/one', accept: 'text/event-stream' })
  const [headers] = (await once(stream, 'response')) as [Record<string, unknown>]
  t.match(headers, { ':status': 200, 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' })
  t.match(await text(stream), /^retry: 1000\n\n[^]*event: reply\ndata: .*\n\n$/)
  const head = session.request({ ':path': '/one', ':method': 'HEAD', accept: 'text/event-stream' })
  t.match(await once(head, 'response'), [{ ':status': 200 }])
})

test('a caller over HTTP/2 that leaves, or does not read, ends its run', async t => {
  const long = 'a'.repeat(1024 * 1024)
  const held = aggregate('held', { url: '/held', deadline: 20_000 })
    .required('long', () => long)
    .optional('held', () => new Promise<string>(() => {}), { fallback: '' })
    .reply(z.string(), ({ long }) => long)
  const app = fastify({ http2: true })
  const load = { runs: 0, served: 0, refused: 0, shedOptional: false }
  await app.register(headwaters, { aggregates: [held], load, streams: { readTimeout: 200 } })
  t.teardown(() => app.close())
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as { readonly port: number }
  const session = connectHttp2(`http://127.0.0.1:${port}`).on('error', () => {})
  t.teardown(() => session.destroy())
  const open = async () => {
    const stream = session.request({ ':path': '/held', accept: 'application/x-ndjson' }).on('error', () => {})
    await once(stream, 'response')
    t.equal(load.runs, 1)
    return stream
  }
  const left = await open()
  left.close()
  await until(() => load.runs === 0)
  await open()
  await until(() => load.runs === 0)
  t.equal(load.served, 2)
})
