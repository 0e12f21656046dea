import type { Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { defineUpstream, operation, type UpstreamOptions } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { testRun } from '../helpers/call.ts'
import { failure } from '../helpers/failure.ts'
import { forwardProxy } from '../helpers/forward-proxy.ts'
import { json, rawUpstream, written, type RawRequest } from '../helpers/raw-upstream.ts'
import { selfSigned } from '../helpers/self-signed.ts'
import { rest } from '../helpers/turn.ts'
import { until } from '../helpers/until.ts'

const operations = { get: operation({ path: '/{id}', params: z.object({ id: z.string() }), output: z.unknown() }) }
const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
const paths = ids.map(id => `/${id}`)
const echo = (socket: Socket, { path }: RawRequest): unknown => socket.write(json(path))

/** A trusted upstream beside something else; its first connection is open. */
async function arrange(
  t: Test,
  {
    secure = false,
    script = echo,
    ...options
  }: Partial<UpstreamOptions> & { readonly secure?: boolean; readonly script?: typeof echo } = {},
) {
  const raw = await rawUpstream(t, script, secure ? selfSigned : undefined)
  const upstream = defineUpstream(
    'ours',
    {
      origin: raw.origin,
      pipelining: 4,
      retry: false,
      breaker: false,
      ...(secure && { tls: { ca: selfSigned.cert } }),
      ...options,
    },
    operations,
  )
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const run = testRun()
  const get = async (id: string) => (await runtime.send(run.ask(upstream.get({ id })))).value
  await get('warm')
  await rest()
  return { raw, runtime, get, all: () => Promise.all(ids.map(id => get(id))) }
}

test('a batch goes over TLS, and over a tunnel through a proxy, as it goes in the open', async t => {
  const proxy = await forwardProxy(t)
  for (const through of [{}, { proxy: proxy.origin }]) {
    const { raw, all } = await arrange(t, { secure: true, ...through })
    for (let round = 0; round < 3; round++) {
      t.same(await all(), paths)
      await rest()
    }
    t.ok(raw.connections <= 3, 'as many connections as the eight need, and the first')
  }
  t.ok(proxy.requests.length <= 3)
  t.ok(proxy.requests.every(({ method }) => method === 'CONNECT'))
})

test('a proxy of plain HTTP is sent a batch of whole URLs', async t => {
  const proxy = await forwardProxy(t)
  const { raw, all } = await arrange(t, { proxy: proxy.origin })
  t.same(await all(), paths)
  t.same(
    proxy.requests
      .slice(1)
      .map(({ target }) => target)
      .toSorted(),
    paths.map(path => raw.origin + path),
  )
  t.ok(proxy.most <= 3)
})

test('a handshake that fails fails each of a batch, and holds nothing', async t => {
  const raw = await rawUpstream(t, echo, selfSigned)
  const upstream = defineUpstream(
    'ours',
    { origin: raw.origin, concurrency: 2, pipelining: 4, retry: false, breaker: false },
    operations,
  )
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const run = testRun()
  for (let round = 0; round < 2; round++) {
    t.match(
      await Promise.all(ids.map(id => failure(runtime.send(run.ask(upstream.get({ id })))))),
      ids.map(() => ({ code: 'UPSTREAM_TLS' })),
    )
  }
  await until(() => runtime.stats()['ours']?.active === 0)
  t.match(runtime.stats(), { ours: { active: 0, queued: 0 } })
})

test('answers of one batch may be compressed or not, and each call has its own', async t => {
  const zipped = (text: string) =>
    written(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }, gzipSync(JSON.stringify(text)))
  const { raw, all } = await arrange(t, {
    decompress: true,
    script: (socket, { path }) => socket.write('aceg'.includes(path.slice(1)) ? zipped(path) : json(path)),
  })
  for (let round = 0; round < 3; round++) t.same(await all(), paths)
  t.ok(raw.connections <= 3)
})

test('a body that cannot be undone loses its own call only', async t => {
  const { raw, get } = await arrange(t, {
    decompress: true,
    script: (socket, { path }) =>
      socket.write(
        path === '/b'
          ? written(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }, 'no')
          : json(path),
      ),
  })
  t.match(await Promise.all([get('a'), failure(get('b')), get('c')]), ['/a', { code: 'UPSTREAM_ENCODING' }, '/c'])
  t.equal(raw.connections, 1)
})

test('a hedge goes beside a batch that waits, whose connection is closed when all of it have lost', async t => {
  const asked = new Map<string, number>()
  const { raw, runtime, get } = await arrange(t, {
    hedge: { delay: 5, maxRatio: 1 },
    retryBudget: { ratio: 1, minPerSecond: 1000 },
    script(socket, { path }) {
      const before = asked.get(path) ?? 0
      asked.set(path, before + 1)
      if (path === '/warm' || before > 0) socket.write(json(path))
    },
  })
  t.same(await Promise.all(['a', 'b', 'c'].map(id => get(id))), ['/a', '/b', '/c'])
  t.equal(raw.requests.length, 7, 'three that wait, and their seconds')
  await until(() => raw.open <= 1)
  await until(() => runtime.stats()['ours']?.active === 0)
  t.equal(await get('later'), '/later')
})

test('adaptive concurrency counts each call of a batch, and admits no more than its limit', async t => {
  let under = 0
  let most = 0
  const { all, runtime } = await arrange(t, {
    concurrency: 'adaptive',
    connections: 3,
    script(socket, { path }) {
      most = Math.max(most, ++under)
      setImmediate(() => {
        under--
        socket.write(json(path))
      })
    },
  })
  for (let round = 0; round < 20; round++) t.same(await all(), paths)
  t.ok(most <= 3)
  t.match(runtime.stats(), { ours: { active: 0, queued: 0, ok: 161 } })
})
