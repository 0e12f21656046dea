import fastify from 'fastify'
import fc from 'fast-check'
import { test } from 'tap'
import { z } from 'zod'
import { buildApp } from '../../../src/app.ts'
import { aggregate } from '../../../src/fanout/aggregate.ts'
import type { Outcome } from '../../../src/fanout/outcome.ts'
import { setSourceHeaders } from '../../../src/http/reply/source-headers.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { httpUpstream } from '../../helpers/http-upstream.ts'

const ms = fc.integer({ min: 0, max: 100_000 }).map(tenths => tenths / 10)
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
const outcome = fc
  .record({
    state: fc.constantFrom('ok', 'stale', 'partial', 'fallback', 'skipped', 'failed', 'cancelled'),
    start: optional(ms),
    ms,
    attempts: fc.nat(9),
    counts: optional(
      fc.record({ calls: fc.nat(9), ok: fc.nat(9), omitted: optional(fc.option(fc.nat(9))), failed: fc.nat(3) }),
    ),
    status: optional(fc.integer({ min: 200, max: 599 })),
    cached: optional(
      fc.record({
        cache: fc.constantFrom('hit', 'stale', 'miss'),
        times: optional(fc.record({ age: fc.nat(99), ttl: fc.nat(99) })),
      }),
    ),
    code: optional(fc.constantFrom('UPSTREAM_STATUS', 'DEADLINE_EXCEEDED')),
  })
  .map(({ counts, cached, ...rest }) => {
    const { state, start, ms: took, attempts, status, code } = rest
    const failed = counts && Array.from({ length: counts.failed }, (_, index) => ({ index, code: 'UPSTREAM_STATUS' }))
    const all = {
      state,
      start,
      ms: took,
      attempts,
      calls: counts?.calls,
      ok: counts?.ok,
      failed,
      omitted: counts?.omitted,
      status,
      cache: cached?.cache,
      age: cached?.times?.age,
      ttl: cached?.times?.ttl,
      code,
    }
    return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as unknown as Outcome
  })
const sources = fc.dictionary(fc.stringMatching(/^[a-z][a-zA-Z]{0,8}$/), outcome, { maxKeys: 4, noNullPrototype: true })

/** Returns the value of `headwaters-sources` as the documentation describes it: each field of an outcome. */
function expectedSources(all: Readonly<Record<string, Outcome>>): string {
  return Object.entries(all)
    .map(([name, { state, failed, ...rest }]) => {
      const fields = Object.entries(rest).map(([key, value]) => (value === null ? `;${key}` : `;${key}=${value}`))
      return `${name.toLowerCase()}=${state}${fields.join('')}${failed === undefined ? '' : `;failed=${failed.length}`}`
    })
    .join(', ')
}

test('the headers of a reply have each field of each outcome', async t => {
  const app = fastify()
  let given: Readonly<Record<string, Outcome>> = {}
  let withSources = true
  app.get('/', (_request, reply) => {
    setSourceHeaders(reply, given, withSources)
    void reply.send('')
  })
  t.teardown(() => app.close())
  await fc.assert(
    fc.asyncProperty(sources, fc.boolean(), async (all, isBare) => {
      given = all
      withSources = isBare
      const { headers } = await app.inject('/')
      const started = Object.entries(all).filter(([, { start }]) => start !== undefined)
      const timing = started.map(([name, { ms: took, state }]) => `${name};dur=${took};desc="${state}"`).join(', ')
      const cached = Object.entries(all).filter(([, { cache }]) => cache !== undefined)
      return (
        headers['server-timing'] === timing &&
        headers['headwaters-sources'] === (isBare ? expectedSources(all) : undefined) &&
        (headers['cache-status'] === undefined) === (cached.length === 0) &&
        cached.every(([name]) => String(headers['cache-status']).includes(`;detail=${name}`))
      )
    }),
  )
})

test('a 304 has server-timing and no headwaters-sources', async t => {
  const { origin } = await httpUpstream(t, ({ json }) => json(1))
  const up = defineUpstream('up', { origin }, { one: operation({ path: '/', output: z.number() }) })
  const one = aggregate('one', { url: '/one', envelope: false, cacheControl: 'max-age=60' })
    .required('one', () => up.one())
    .reply(z.number(), ({ one: value }) => value)
  const app = buildApp([one])
  t.teardown(() => app.close())
  const whole = await app.inject('/one')
  t.match(whole.headers, { 'headwaters-sources': /^one=ok;/, 'headwaters-complete': '?1' })
  const { statusCode, headers } = await app.inject({ url: '/one', headers: { 'if-none-match': whole.headers.etag } })
  t.equal(statusCode, 304)
  t.match(headers['server-timing'], /^one;dur=/)
  t.notOk('headwaters-sources' in headers)
})
