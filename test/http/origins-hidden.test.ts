import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { FastifyInstance } from 'fastify'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { buildApp } from '../../src/app.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { defineUpstream, operation, type UpstreamOptions } from '../../src/upstream/declare.ts'
import { createRuntime, type RuntimeOptions } from '../../src/upstream/runtime.ts'
import { dnsServer } from '../helpers/dns-server.ts'
import { quietPort } from '../helpers/quiet-port.ts'
import { json, rawUpstream, written, type Script } from '../helpers/raw-upstream.ts'

/** Serves an app whose one upstream has these origins. */
async function serve(t: Test, options: UpstreamOptions, runtimeOptions: RuntimeOptions = {}): Promise<FastifyInstance> {
  const { get } = defineUpstream(
    'cats',
    { breaker: false, retry: { maxAttempts: 2, initialDelay: 0, maxDelay: 0 }, redirects: 1, ...options },
    { get: operation({ path: '/cats', output: z.object({ name: z.string() }), batch: true }) },
  )
  const required = aggregate('required', { url: '/required' })
    .required('cat', () => get())
    .reply(z.unknown(), ({ cat }) => cat)
  const optional = aggregate('optional', { url: '/optional' })
    .optional('cat', () => get(), { fallback: null })
    .reply(z.unknown(), ({ cat }) => cat)
  const runtime = createRuntime(runtimeOptions)
  const app = buildApp([required, optional], { runtime, batch: { operations: [get] } })
  t.teardown(async () => {
    await app.close()
    await runtime.close()
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  return app
}

const batch = JSON.stringify({ calls: [{ id: 'a', operation: 'cats.get' }] })

/** The requests whose replies are read, with the names of their forms. */
const requests: readonly (readonly [form: string, request: string])[] = [
  ...['/required', '/optional'].flatMap(path =>
    ['application/json', 'text/event-stream', 'application/x-ndjson'].map(
      accept => [`${path} as ${accept}`, `GET ${path} HTTP/1.1\r\naccept: ${accept}\r\n`] as const,
    ),
  ),
  ...['application/json', 'text/event-stream'].map(
    accept =>
      [
        `a batch as ${accept}`,
        `POST /v1/batch HTTP/1.1\r\naccept: ${accept}\r\ncontent-type: application/json\r\ncontent-length: ${batch.length}\r\n`,
      ] as const,
  ),
]

/** Returns every byte that the service sends for a request. */
async function bytesOf(app: FastifyInstance, form: string, request: string): Promise<string> {
  const { port } = app.server.address() as AddressInfo
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  const body = form.startsWith('a batch') ? batch : ''
  socket.write(`${request}host: service.example\r\nconnection: close\r\n\r\n${body}`)
  return (await buffer(socket)).toString('latin1')
}

/** Checks that no reply contains one of the texts. Returns all codes of failures in the replies. */
async function checkReplies(
  t: Test,
  app: FastifyInstance,
  hidden: readonly string[],
  times: number,
): Promise<Set<string>> {
  const codes = new Set<string>()
  for (const [form, request] of requests)
    for (let count = 0; count < times; count++) {
      const bytes = await bytesOf(app, form, request)
      const found = [...bytes.matchAll(/UPSTREAM_[A-Z_]+|ADDRESS_REFUSED/g)].map(([code]) => code)
      if (found.length === 0) t.fail(`${form} shows no failure: ${bytes}`)
      for (const code of found) codes.add(code)
      const shown = hidden.filter(text => bytes.includes(text))
      if (shown.length > 0) t.fail(`${form} shows ${shown.join(' and ')}: ${bytes}`)
    }
  return codes
}

test('no reply, stream, problem or header of a failing call names an origin of a list', async t => {
  const other = 'http://127.0.0.1:1/cats'
  const scripts: readonly Script[] = [
    json({ error: 'out of order' }, 503),
    json({ error: 'out of order' }, 500),
    json({ error: 'no such cat' }, 404, { 'content-location': other }),
    written(302, { location: other }, ''),
    written(429, {}, ''),
    json({ name: 1 }),
    'not HTTP at all\r\n\r\n',
    socket => socket.destroy(),
    written(200, { 'content-type': 'text/html' }, '<p>Tom</p>'),
  ]
  const servers = await Promise.all(scripts.map(script => rawUpstream(t, script)))
  const origins = [...servers.map(({ origin }) => origin), `http://127.0.0.1:${await quietPort()}`]
  const app = await serve(t, { origins, balance: { ejection: false } })
  const hosts = origins.map(origin => new URL(origin).host)
  const codes = await checkReplies(t, app, [...hosts, '127.0.0.1:1', '.invalid'], 10)
  for (const server of servers) t.ok(server.requests.length > 0, `${server.origin} was asked`)
  t.ok(codes.size >= 4, [...codes].join(' '))
})

test('no reply names the address or the name of an origin that DNS finds', async t => {
  const closed = await quietPort()
  const dns = await dnsServer(t)
  dns.set('cats.example', { A: ['127.0.0.1', '127.0.0.2'] })
  const app = await serve(
    t,
    { origins: [{ origin: `http://cats.example:${closed}`, addresses: true }] },
    { dnsServers: [dns.address] },
  )
  t.same(await checkReplies(t, app, ['127.0.0.', 'cats.example'], 1), new Set(['UPSTREAM_UNREACHABLE']))
})

test('no reply names a name without addresses, or a private address that is refused', async t => {
  const dns = await dnsServer(t)
  dns.set('inside.example', { A: ['10.1.2.3'] })
  const options = { dnsServers: [dns.address] }
  const entry = (origin: string) => ({ origins: [{ origin, addresses: true }] })
  const absent = await serve(t, entry('http://absent.example'), options)
  t.same(await checkReplies(t, absent, ['absent.example'], 1), new Set(['UPSTREAM_UNREACHABLE']))
  const inside = await serve(t, { ...entry('http://inside.example'), publicOnly: true }, options)
  t.same(await checkReplies(t, inside, ['10.1.2.3', 'inside.example'], 1), new Set(['ADDRESS_REFUSED']))
})
