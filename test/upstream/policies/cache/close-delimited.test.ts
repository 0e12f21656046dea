import type { Socket } from 'node:net'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { isCloseDelimited } from '../../../../src/upstream/transport/response-headers.ts'
import { defineUpstream, operation } from '../../../../src/upstream/declare.ts'
import { createRuntime } from '../../../../src/upstream/runtime.ts'
import { testRun } from '../../../helpers/call.ts'
import { cuttingProxy } from '../../../helpers/cutting-proxy.ts'
import { failure } from '../../../helpers/failure.ts'
import { farStore, type FarStore } from '../../../helpers/far-store.ts'
import { rawUpstream, type Script } from '../../../helpers/raw-upstream.ts'
import { selfSigned } from '../../../helpers/self-signed.ts'

const minute = 'cache-control: public, max-age=60'

/** Writes a head with these lines. */
function head(lines: readonly string[], status = '200 OK', version = '1.1'): string {
  return `HTTP/${version} ${status}\r\ncontent-type: text/plain\r\n${lines.map(line => `${line}\r\n`).join('')}\r\n`
}

interface Arranged {
  readonly isSecure?: boolean
  readonly store?: FarStore
  readonly version?: 'TLSv1.2' | 'TLSv1.3'
}

async function arrange(t: Test, script: Script, { isSecure = false, store, version = 'TLSv1.3' }: Arranged = {}) {
  const raw = await rawUpstream(
    t,
    script,
    isSecure ? { ...selfSigned, minVersion: version, maxVersion: version } : undefined,
  )
  const proxy = await cuttingProxy(t, raw.port)
  const runtime = createRuntime(store === undefined ? {} : { cacheStore: store.store })
  t.teardown(() => runtime.close())
  const origin = isSecure ? `https://127.0.0.1:${proxy.port}` : raw.origin
  const text = { output: z.string(), responseType: 'text' } as const
  const cats = defineUpstream(
    'cats',
    {
      origin,
      retry: false,
      breaker: false,
      attemptTimeout: 10_000,
      connectTimeout: 10_000,
      ...(isSecure && { tls: { ca: selfSigned.cert } }),
    },
    {
      told: operation({ path: '/told', ...text, cache: true }),
      vouched: operation({
        path: '/vouched',
        ...text,
        cache: { ttl: 60_000, staleWhileRevalidate: 60_000, staleIfError: 60_000 },
      }),
      none: operation({ path: '/none', ...text, nullOn: [404], cache: true }),
      head: operation({ method: 'HEAD', path: '/head', output: z.unknown(), allowEmpty: true, cache: true }),
      empty: operation({ path: '/empty', output: z.unknown(), allowEmpty: true, cache: true }),
      shared: operation({ path: '/shared', ...text, coalesce: true }),
    },
  )
  return {
    raw,
    proxy,
    runtime,
    cats,
    ask: (call: Parameters<ReturnType<typeof testRun>['ask']>[0]) => runtime.send(testRun().ask(call)),
    stats: () => runtime.stats()['cats']?.cache,
  }
}

/** Writes an answer in two TLS records, which its connection ends. */
function inTwo(socket: Socket, start: string, end: string): void {
  socket.write(start)
  socket.end(end)
}

test('an answer over TLS that its connection ends is never kept, whether it is cut or not', async t => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    // Dropped are none, the record of close_notify, and the second half of the body with it.
    for (const [dropped, value] of [
      [0, 'first second'],
      [1, 'first second'],
      [2, 'first'],
    ] as const) {
      for (const store of [undefined, farStore()]) {
        const { ask, cats, raw, proxy, stats } = await arrange(
          t,
          socket => {
            proxy.dropLast(dropped)
            inTwo(
              socket,
              head([minute, 'etag: "1"', 'last-modified: Sat, 28 Nov 2026 10:00:00 GMT']) + 'first',
              ' second',
            )
          },
          { isSecure: true, version, ...(store && { store }) },
        )
        for (const call of [cats.told(), cats.vouched()]) {
          for (let times = 0; times < 2; times++)
            t.match(await ask(call), { value, cached: { cache: 'miss' } }, `${version}, ${dropped} dropped`)
        }
        t.equal(raw.requests.length, 4)
        t.notOk(
          raw.requests.some(({ headers }) => headers.some(([name]) => name.startsWith('if-'))),
          'it is not asked whether it has changed',
        )
        t.match(stats(), { hits: 0, stale: 0, misses: 4 })
        t.equal(store?.held.size ?? stats()?.entries, 0)
      }
    }
  }
})

test('an answer of HTTP/1.0, over TLS and over TCP, is not kept without a length', async t => {
  for (const isSecure of [true, false]) {
    const { ask, cats, raw } = await arrange(
      t,
      socket => inTwo(socket, head([minute], '200 OK', '1.0') + 'first', ' second'),
      { isSecure },
    )
    for (let times = 0; times < 2; times++)
      t.match(await ask(cats.told()), { value: 'first second', cached: { cache: 'miss' } })
    t.equal(raw.requests.length, 2)
  }
})

test('an answer over TCP that its connection ends is not kept, and takes an older one along', async t => {
  let isWell = true
  const { ask, cats, raw, stats } = await arrange(t, (socket, { path }) => {
    if (isWell)
      socket.write(head(['content-length: 3', 'cache-control: max-age=0, stale-if-error=60', 'etag: "1"']) + 'old')
    else if (path === '/told') socket.end(head([minute]) + 'new')
  })
  t.match(await ask(cats.told()), { value: 'old' })
  t.match(stats(), { entries: 1 })
  isWell = false
  t.match(await ask(cats.told()), { value: 'new', cached: { cache: 'miss' } })
  t.match(stats(), { entries: 0 })
  await raw.stop()
  t.match(await failure(ask(cats.told())), { code: 'UPSTREAM_UNREACHABLE' }, 'nothing stands for the failure')
})

test('an answer with a known end is stored over TLS, and a truncated answer fails', async t => {
  for (const [lines, start, end] of [
    ['content-length: 12', 'first', ' second'],
    ['transfer-encoding: chunked', '5\r\nfirst\r\n', '7\r\n second\r\n0\r\n\r\n'],
  ] as const) {
    for (const dropped of [0, 1, 2]) {
      const { ask, cats, raw, proxy } = await arrange(
        t,
        socket => {
          proxy.dropLast(dropped)
          inTwo(socket, head([minute, lines]) + start, end)
        },
        { isSecure: true },
      )
      if (dropped === 2) {
        t.match(await failure(ask(cats.told())), { code: 'UPSTREAM_RESET' })
      } else {
        t.match(await ask(cats.told()), { value: 'first second' })
        t.match(await ask(cats.told()), { value: 'first second', cached: { cache: 'hit' } })
        t.equal(raw.requests.length, 1)
      }
    }
  }
})

test('an answer without a body needs no length to be kept', async t => {
  const { ask, cats, raw } = await arrange(t, (socket, { path }) =>
    socket.end(`HTTP/1.1 ${path === '/empty' ? '204 No Content' : '200 OK'}\r\n${minute}\r\n\r\n`),
  )
  for (const call of [cats.head(), cats.empty()]) {
    await ask(call)
    t.match(await ask(call), { value: null, cached: { cache: 'hit' } })
  }
  t.equal(raw.requests.length, 2)
})

test('an absent answer that its connection ends is not kept either', async t => {
  const { ask, cats, raw } = await arrange(t, socket => inTwo(socket, head([minute], '404 Not Found'), 'none'))
  for (let times = 0; times < 2; times++) t.match(await ask(cats.none()), { value: null, cached: { cache: 'miss' } })
  t.equal(raw.requests.length, 2)
})

test('calls that share a flight share an answer that its connection ends', async t => {
  const { ask, cats, raw } = await arrange(t, socket => inTwo(socket, head([]) + 'first', ' second'))
  t.match(await Promise.all([ask(cats.shared()), ask(cats.shared())]), [
    { value: 'first second' },
    { value: 'first second' },
  ])
  t.equal(raw.requests.length, 1)
})

test('only a body without length and chunks ends with its connection', t => {
  t.ok(isCloseDelimited('GET', 200, {}))
  t.ok(isCloseDelimited('GET', 404, { 'transfer-encoding': 'gzip' }))
  t.ok(isCloseDelimited('GET', 404, { 'transfer-encoding': ['chunked', 'gzip'] }))
  t.notOk(isCloseDelimited('GET', 200, { 'transfer-encoding': 'Chunked' }))
  t.notOk(isCloseDelimited('GET', 200, { 'content-length': '0' }))
  for (const [method, status] of [
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 304],
  ] as const)
    t.notOk(isCloseDelimited(method, status, {}))
  t.end()
})
