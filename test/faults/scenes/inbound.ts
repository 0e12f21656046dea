import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import type { Test } from 'tap'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { z } from 'zod'
import { aggregate } from '../../../src/fanout/aggregate.ts'
import { Redaction } from '../../../src/log/redaction.ts'
import { loggerOptions } from '../../../src/http/log/logger-options.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { json, rawUpstream } from '../../helpers/raw-upstream.ts'
import { exchange } from '../../hostile/helpers/exchange.ts'
import { hostileApp } from '../../hostile/helpers/hostile-app.ts'
import { judge } from '../../hostile/helpers/judge.ts'
import type { Line } from '../../hostile/helpers/line.ts'
import { slack } from '../helpers/slack.ts'
import { Id, stage, Word, wordPath, type Reply } from '../helpers/stage.ts'
import { well } from '../helpers/victim.ts'
import { good } from '../helpers/wire.ts'

/** Heads and bodies that come so slowly that they never end, and a caller who says nothing at all. */
export async function slowly(t: Test): Promise<void> {
  const limit = 300
  const upstream = await rawUpstream(t, well)
  const asked = defineUpstream('asked', { origin: upstream.origin }, { word: operation(wordPath) })
  const told = aggregate('told', { url: '/told', body: Id })
    .required('part', ({ body }) => asked.word({ id: body.id }))
    .reply(Word, ({ part }) => part)
  const { app, get } = await stage(t, [told], { limits: { requestTimeout: limit } })
  const { port } = app.server.address() as AddressInfo
  const post = 'POST /told HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n'
  for (const [what, start, drop] of [
    ['a head that never ends', 'GET /told HTTP/1.1\r\nhost: a\r\nx-a: ', 'a'],
    ['a body that never ends', `${post}content-length: 100000\r\n\r\n{`, ' '],
    ['chunks that never end', `${post}transfer-encoding: chunked\r\n\r\n`, '1\r\n \r\n'],
    ['nothing', '', ''],
  ] as const) {
    const socket = connect(port, '127.0.0.1')
    let received = ''
    socket
      .on('error', () => {})
      .on('data', part => {
        received += String(part)
      })
    const closed = new Promise<void>(resolve => {
      socket.on('close', () => resolve())
    })
    await once(socket, 'connect')
    const since = performance.now()
    socket.write(start)
    const drip = setInterval(() => {
      if (drop !== '') socket.write(drop)
    }, 20)
    t.teardown(() => clearInterval(drip))
    await closed
    clearInterval(drip)
    const elapsed = performance.now() - since
    t.ok(elapsed >= limit - 10 && elapsed < 3 * limit + slack, `${what}: closed after ${elapsed.toFixed(0)} ms`)
    t.match(received, /^(?:HTTP\/1\.1 408 |$)/, 'with 408, where that can be said')
  }
  t.equal(upstream.requests.length, 0)
  t.match(await get('/told', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"id":"a"}' }), {
    status: 200,
    body: { data: { word: 'a' } },
  })
}

/** Hostile requests, each over a connection of its own. */
export function requests(lines: readonly Line[]): (t: Test) => Promise<void> {
  return async t => {
    const app = await hostileApp(t)
    for (const line of lines) t.same(judge(line, await exchange(app.port, line)), [], line.what)
    t.same(app.errors(), [], 'nothing was logged as an error')
    t.same(app.strays(), [], 'no upstream saw a path outside its templates')
  }
}

/** Headers that callers send, and what an upstream gets of them. */
export async function headers(t: Test): Promise<void> {
  const upstream = await rawUpstream(t, (socket, request) => socket.write(good(request)))
  const asked = defineUpstream(
    'asked',
    { origin: upstream.origin, forwardHeaders: ['x-user', 'accept-language'], headers: { 'x-ours': 'ours' } },
    { word: operation(wordPath) },
  )
  const required = aggregate('required', { url: '/required', query: Id })
    .required('part', ({ query }) => asked.word({ id: query.id }))
    .reply(Word, ({ part }) => part)
  const { app, get } = await stage(t, [required])
  const { port } = app.server.address() as { readonly port: number }
  const send = async (...lines: readonly string[]) => {
    const { answers } = await exchange(port, {
      bytes: Buffer.from(
        `GET /required?id=a HTTP/1.1\r\nhost: evil.example\r\n${lines.map(line => `${line}\r\n`).join('')}\r\n`,
        'latin1',
      ),
      before: 0,
      ends: false,
      isBare: false,
    })
    t.equal(answers[0]?.status, 200)
    return Object.fromEntries(upstream.requests.at(-1)?.headers ?? [])
  }
  const own = { host: new URL(upstream.origin).host, 'x-ours': 'ours' }
  const usual = new Set([...Object.keys(own), 'connection', 'accept', 'accept-encoding', 'user-agent'])

  const sent = await send(
    'cookie: id=1',
    'authorization: Bearer a',
    'forwarded: for=1.2.3.4',
    'x-forwarded-for: 1.2.3.4',
    'x-forwarded-host: evil.example',
    'traceparent: junk',
    'te: trailers',
    'x-secret: a',
    'connection: x-secret, te',
    'proxy-authorization: Basic a',
    'upgrade: h2c',
    'x-ours: theirs',
    'range: bytes=0-1',
    'if-none-match: a',
  )
  t.match(sent, own)
  t.same(
    Object.keys(sent).filter(name => !usual.has(name)),
    [],
    'nothing goes out that was not allowed',
  )

  t.match(
    await send('x-user: u', 'accept-language: de'),
    { ...own, 'x-user': 'u', 'accept-language': 'de' },
    'what is allowed goes out',
  )
  const dropped = await send('x-user: u', 'accept-language: de', 'connection: keep-alive, X-User')
  t.notOk('x-user' in dropped, 'unless the caller has said that it ends here')
  t.match(dropped, { 'accept-language': 'de' })
  t.same(
    upstream.requests.map(({ path }) => path),
    upstream.requests.map(() => '/word/a'),
  )
  t.match(await get('/required?id=b'), { status: 200, body: { data: { word: 'b' } } })
}

/** Thousands of places that are requested once. */
export async function distinct(t: Test): Promise<void> {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  const upstream = await rawUpstream(t, (socket, { index }) => socket.write(json({ word: String(index) })))
  const wide = defineUpstream(
    'wide',
    { origin: upstream.origin, concurrency: 16, maxQueue: 1000, forwardHeaders: ['x-user'] },
    { word: operation({ ...wordPath, coalesce: true }) },
  )
  const padding = 'x'.repeat(2000)
  const many = aggregate('many', { url: '/many', query: Id })
    .each('words', ({ query }) =>
      Array.from({ length: 100 }, (_, index) => wide.word({ id: `${query.id}-${index}-${padding}` })),
    )
    .reply(z.number(), ({ words }) => words.length)
  const { get, runtime } = await stage(t, [many])
  const round = async (from: number, to: number) => {
    for (let times = from; times < to; times++)
      t.equal((await get<Reply>(`/many?id=${times}`, { headers: { 'x-user': `${times}` } })).status, 200)
    upstream.requests.length = 0
    gc()
    return process.memoryUsage().heapUsed
  }
  const before = await round(0, 10)
  const after = await round(10, 60)
  const grown = (after - before) / 2 ** 20
  t.ok(grown < 5, `5000 places of 2 KB each, and the heap is larger by ${grown.toFixed(1)} MB`)
  t.same(Object.keys(runtime.stats()), ['wide'], 'one upstream is one, whatever it is asked')
}

/** Words of callers and upstreams, and what the log has of them. */
export async function logs(t: Test): Promise<void> {
  const secret = 'SECRET-5ec2e7'
  const upstream = await rawUpstream(t, socket =>
    socket.end(`HTTP/1.1 500 ${secret}\r\nx-secret: ${secret}\r\ncontent-length: ${secret.length}\r\n\r\n${secret}`),
  )
  const told = defineUpstream(
    'told',
    {
      origin: upstream.origin,
      headers: { authorization: `Bearer ${secret}` },
      forwardHeaders: ['x-api-key'],
      retry: false,
      breaker: false,
    },
    { word: operation(wordPath) },
  )
  const required = aggregate('required', {
    url: '/required',
    query: z.object({ id: z.string(), token: z.string().optional() }),
  })
    .required('part', ({ query }) => told.word({ id: query.id }))
    .reply(Word, ({ part }) => part)
  const lines: string[] = []
  const { app, get } = await stage(t, [required], {
    logger: {
      ...(loggerOptions({ level: 'info', redaction: new Redaction([]) }) as object),
      stream: {
        write: (line: string) => {
          lines.push(line)
        },
      },
    },
  })
  t.equal(
    (
      await get(`/required?id=a&token=${secret}`, {
        headers: { authorization: `Bearer ${secret}`, 'x-api-key': secret, cookie: `id=${secret}` },
      })
    ).status,
    502,
  )
  t.equal((await get(`/required?id=${encodeURIComponent('a\r\n{"level":60,"msg":"forged"}')}`)).status, 502)
  t.equal((await get(`/${'x'.repeat(10_000)}`)).status, 404)
  t.equal((await get('/required?id=%0a%1b%5b31m', { headers: { 'x-request-id': '{"level":60}' } })).status, 502)
  await app.close()
  t.equal(lines.filter(line => line.includes('"req":')).length, 4, 'a line for each request')
  for (const line of lines) {
    t.match(line, /^\{[\x20-\x7e]*\}\n$/, 'one line of JSON')
    t.notOk(line.includes(secret), 'without a secret')
    t.ok(line.length < 4096, 'and not as long as a caller likes')
    t.ok((JSON.parse(line) as { readonly level: number }).level < 50)
  }
  t.ok(upstream.requests.length >= 3)
}

/** Values that a caller writes into a path of ours. */
export async function paths(t: Test): Promise<void> {
  const upstream = await rawUpstream(t, well)
  const filed = defineUpstream(
    'filed',
    { origin: upstream.origin },
    { word: operation({ path: '/files/{id}/word', params: z.object({ id: z.string() }), output: z.unknown() }) },
  )
  const required = aggregate('required', { url: '/required', query: Id })
    .required('part', ({ query }) => filed.word({ id: query.id }))
    .reply(z.unknown(), ({ part }) => part)
  const { get } = await stage(t, [required])
  for (const id of [
    'a/b',
    '?x=1',
    '#x',
    ';x',
    'a b',
    'ü',
    '%',
    '%25',
    'a\r\nx-injected: b',
    '@evil.example',
    ':80',
    '//evil.example',
    'x'.repeat(5000),
    '*',
    '...',
    '~',
    'a..b',
    'v1.2',
    '.well-known',
    'a;b',
  ]) {
    const before = upstream.requests.length
    t.equal((await get(`/required?id=${encodeURIComponent(id)}`)).status, 200, id.slice(0, 40))
    const { path = '' } = upstream.requests[before] ?? {}
    t.equal(path, `/files/${encodeURIComponent(id)}/word`, 'it is one segment')
    t.equal(new URL(path, 'http://a').pathname, path)
  }
  const before = upstream.requests.length
  for (const id of [
    '..',
    '.',
    '',
    '../admin',
    '%2e%2e',
    '%2e%2e%2f',
    '..%2f',
    'a/../b',
    '%252e%252e',
    '..\\',
    '.%2e',
    '..;',
    '..;a=b',
    '..\0',
    '%2e%2e%3b',
    '%u002e.',
    '%c0%ae.',
    '\uff0e\uff0e',
    '.\t.',
    '\\evil',
    'a%00b',
    'a%2fb',
    'a\uff0fb',
  ]) {
    t.match(
      await get(`/required?id=${encodeURIComponent(id)}`),
      { status: 400, body: { code: 'CALL_INPUT_INVALID' } },
      id,
    )
  }
  t.equal(upstream.requests.length, before, 'a value that could be another path is not sent')
}
