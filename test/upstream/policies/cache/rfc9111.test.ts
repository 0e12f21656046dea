// The rules of RFC 9111, sections 3 to 5, row by row, on a real server and a real client.
import { test, type Test } from 'tap'
import { z } from 'zod'
import { defineUpstream, operation } from '../../../../src/upstream/declare.ts'
import { createRuntime } from '../../../../src/upstream/runtime.ts'
import { testRun } from '../../../helpers/call.ts'
import { failure } from '../../../helpers/failure.ts'
import { farStore } from '../../../helpers/far-store.ts'
import { turn } from '../../../helpers/turn.ts'
import { serverOf } from './rfc9111/server.ts'
import { storing, type Outcome, type Row } from './rfc9111/storing-rows.ts'
import { validation } from './rfc9111/validation-rows.ts'

const params = z.object({ id: z.string() })
const nullOn = [403, 404, 410] as const
const options = { path: '/rows/{id}', params, output: z.unknown(), nullOn, allowEmpty: true } as const

/** Starts a server that answers `/rows/N` as row N says, and a runtime that calls it. */
async function arrange(t: Test, rows: readonly Row[]) {
  const seen = new Set<string>()
  const { origin, asked } = await serverOf(t, ({ url }) => {
    const { status, head, later = status } = rows[Number(url.split('/').at(-1))] as Row
    const isFirst = !seen.has(url)
    seen.add(url)
    return { status: (isFirst ? status : later) ?? 200, head }
  })
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const operations = defineUpstream(
    'rows',
    {
      origin,
      retry: false,
      breaker: false,
      attemptTimeout: 60_000,
      forwardHeaders: ['authorization', 'x-tenant', 'cache-control'],
      layers: { attempt: [next => call => next(call.with({ headers: { 'x-nonce': 'one' } }))] },
    },
    {
      none: operation({ ...options, nullOn: [404, 410], cache: true }),
      head: operation({ ...options, method: 'HEAD', cache: true }),
      ttl: operation({ ...options, cache: { ttl: 1000_000 } }),
      windows: operation({
        ...options,
        cache: { ttl: 1000_000, staleWhileRevalidate: 1000_000, staleIfError: 1000_000 },
      }),
    },
  )
  async function ask(id: number, { policy, method }: Row, headers: Record<string, string>) {
    const call = operations[method === 'HEAD' ? 'head' : (policy ?? 'none')]({ id: String(id) })
    return runtime.send(testRun({ headers }).ask<unknown>(call))
  }

  /** What the second request of a row came to. */
  async function second(id: number, row: Row): Promise<Outcome> {
    const { request = {}, secondRequest = request } = row
    await ask(id, row, request).catch(() => {})
    const before = asked.length
    try {
      const { cached } = await ask(id, row, secondRequest)
      if (cached?.cache === 'hit') return (cached.ttl ?? 0) + 1
      if (cached?.cache === 'stale') return 'stale'
    } catch {
      return 'failed'
    }
    const headers = asked[before]?.headers ?? {}
    return 'if-none-match' in headers || 'if-modified-since' in headers ? 'asked' : 'miss'
  }
  return { second, asked }
}

/** Seconds by which a busy machine may make a remaining time shorter, and by which a date is rounded. */
const slack = 60

for (const section of new Set(storing.map(row => row.section))) {
  test(`RFC 9111, section ${section}: what the second of two requests comes to`, async t => {
    const { second } = await arrange(t, storing)
    for (const [id, row] of storing.entries()) {
      if (row.section !== section) continue
      const { section: _, second: expected, ...given } = row
      const outcome = await second(id, row)
      const text = JSON.stringify(given)
      if (typeof expected === 'number' && typeof outcome === 'number')
        t.ok(outcome <= expected + 1 && outcome > expected - slack, `${text}: ${outcome} of ${expected} s`)
      else t.equal(outcome, expected, text)
    }
  })
}

/** Asks for a row up to three times, and returns each answer and the requests that it took. */
async function validated(t: Test, { kept, head304 }: (typeof validation)[number], readsHeaders: boolean, far: boolean) {
  const { origin, asked } = await serverOf(t, ({ headers }) =>
    'if-none-match' in headers || 'if-modified-since' in headers ? { status: 304, head: head304 } : { head: kept },
  )
  const runtime = createRuntime(far ? { cacheStore: farStore(60_000).store } : {})
  t.teardown(() => runtime.close())
  const plain = { path: '/', output: z.number(), cache: true } as const
  const { one } = defineUpstream(
    'rows',
    { origin, retry: false, attemptTimeout: 60_000 },
    { one: readsHeaders ? operation({ ...plain, responseHeaders: z.looseObject({}) }) : operation(plain) },
  )
  return async () => {
    const before = asked.length
    const { value, cached, status } = await runtime.send(testRun().ask<unknown>(one()))
    // What is written to a store elsewhere is there in the next turn but one.
    for (let turns = 0; turns < 3; turns++) await turn()
    const requests = asked
      .slice(before)
      .map(({ headers }) => 'if-none-match' in headers || 'if-modified-since' in headers)
    return { value, cached, status, requests }
  }
}

for (const section of new Set(validation.map(row => row.section))) {
  test(`RFC 9111, section ${section}: what a 304 makes of a stale answer, in memory and in a store elsewhere`, async t => {
    for (const row of validation.filter(each => each.section === section)) {
      const { second, third, headers } = row
      const text = JSON.stringify(row)
      for (const far of [false, true]) {
        const ask = await validated(t, row, headers !== undefined, far)
        const { value: first } = await ask()
        const { value, status, requests } = await ask()
        if (second === 'confirmed') {
          t.same([status, requests], [304, [true]], text)
          if (headers === undefined) t.equal(value, first, text)
        } else {
          t.same([status, requests], [200, [true, false]], text)
          t.not(value, first, text)
        }
        if (headers !== undefined) {
          const read = value as { readonly body: number; readonly headers: Readonly<Record<string, unknown>> }
          t.equal(read.body, (first as typeof read).body, text)
          for (const [name, expected] of Object.entries(headers))
            t.equal(read.headers[name] ?? null, expected, `${text}: ${name}`)
        }
        if (third === undefined) continue
        const { cached, requests: later } = await ask()
        if (typeof third === 'number')
          t.ok(
            cached?.ttl !== undefined && cached.ttl <= third && cached.ttl > third - slack,
            `${text}: ${cached?.ttl}`,
          )
        else t.same(later[0], third === 'asked', text)
      }
    }
  })
}

test('RFC 9111, section 4.3.3: a 304 to a request without validators is a failure, and 5xx is passed on', async t => {
  let status = 304
  const { origin } = await serverOf(t, () => ({ status, head: { 'cache-control': 'max-age=1000', etag: '"a"' } }))
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const { one } = defineUpstream(
    'rows',
    { origin, retry: false },
    { one: operation({ path: '/', output: z.unknown(), cache: true }) },
  )
  for (status of [304, 500, 503, 304])
    t.match(await failure(runtime.send(testRun().ask(one()))), { upstreamStatus: status })
  t.match(runtime.stats()['rows']?.cache, { entries: 0 })
})

test('RFC 9111, section 4.3.5: HEAD and GET are kept apart, and neither answers or freshens the other', async t => {
  const { origin, asked } = await serverOf(t, ({ method }) => ({
    head: { 'cache-control': method === 'HEAD' ? 'max-age=1000' : 'max-age=0', etag: '"a"' },
  }))
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const common = { path: '/', output: z.unknown(), allowEmpty: true, cache: true } as const
  const { get, head } = defineUpstream(
    'rows',
    { origin },
    { get: operation(common), head: operation({ ...common, method: 'HEAD' }) },
  )
  for (const call of [get, head, get, head]) await runtime.send(testRun().ask<unknown>(call()))
  t.same(
    asked.map(({ method, headers }) => [method, headers['if-none-match']]),
    [
      ['GET', undefined],
      ['HEAD', undefined],
      ['GET', '"a"'],
    ],
  )
})
