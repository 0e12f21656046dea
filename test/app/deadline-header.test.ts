import { test } from 'tap'
import type { AnyAggregate } from '../../src/fanout/aggregate.ts'
import { catFacts } from '../../src/routes/cat-facts.ts'
import { isProblem, type ProblemBody } from '../helpers/problem.ts'
import { rawUpstream } from '../helpers/raw-upstream.ts'
import { serveApp } from '../helpers/served-app.ts'
import { isExact } from '../helpers/timing.ts'

const silent = () => {}
/** The time by which a reply may be late, in ms; the deadlines that must not apply are 30 s and 60 s. */
const slack = isExact ? 500 : 10_000

test('a caller may shorten the deadline', async t => {
  const ninja = await rawUpstream(t, silent)
  const long: AnyAggregate = { ...catFacts, route: { ...catFacts.route, deadline: 30_000 } }
  const overrides = { 'catfact-ninja': { origin: ninja.origin, attemptTimeout: 30_000 } }
  const { get } = await serveApp(t, { aggregates: [long], overrides })
  const before = performance.now()
  const got = await get<ProblemBody>('/v1/cat-facts', { headers: { 'x-request-timeout-ms': '60' } })
  const elapsed = performance.now() - before
  isProblem(t, got, 504, 'DEADLINE_EXCEEDED')
  t.ok(elapsed > 50 && elapsed < 60 + slack, `answered after ${elapsed.toFixed(0)} ms`)
  t.match(got.body.sources, { ninja: { state: 'failed', code: 'DEADLINE_EXCEEDED' } })
})

test('a caller cannot extend the deadline', async t => {
  const ninja = await rawUpstream(t, silent)
  const { get } = await serveApp(t, { overrides: { 'catfact-ninja': { origin: ninja.origin } } })
  const before = performance.now()
  const got = await get<ProblemBody>('/v1/cat-facts', { headers: { 'x-request-timeout-ms': '60000' } })
  isProblem(t, got, 504, 'DEADLINE_EXCEEDED')
  t.ok(performance.now() - before < 800 + slack)
})

test('a deadline that is long enough changes nothing', async t => {
  const { get } = await serveApp(t)
  t.match(await get('/v1/cat-facts', { headers: { 'x-request-timeout-ms': '700' } }), {
    status: 200,
    body: { complete: true },
  })
})

test('a deadline that is not a whole number of milliseconds is 400', async t => {
  const { get } = await serveApp(t)
  for (const value of ['soon', '1.5', '1e3', '0x10', '', '100, 200', '9999999999']) {
    const got = await get<ProblemBody>('/v1/cat-facts', { headers: { 'x-request-timeout-ms': value } })
    isProblem(t, got, 400, 'INPUT_INVALID')
    t.match(got.body.errors, [{ pointer: '/headers/x-request-timeout-ms', reason: /\w/ }], `'${value}'`)
  }
})

test('a deadline below 10 ms counts as 10 ms, and is not refused', async t => {
  const ninja = await rawUpstream(t, silent)
  const { get } = await serveApp(t, { overrides: { 'catfact-ninja': { origin: ninja.origin } } })
  for (const value of ['9', '5', '1', '0', '-0', '-5', '-999999999', '000']) {
    const before = performance.now()
    const got = await get<ProblemBody>('/v1/cat-facts', { headers: { 'x-request-timeout-ms': value } })
    isProblem(t, got, 504, 'DEADLINE_EXCEEDED')
    t.ok(performance.now() - before > 9, value)
  }
})

test('a bad deadline and a bad query are reported together', async t => {
  const { get } = await serveApp(t)
  const got = await get<ProblemBody>('/v1/cat-facts?count=0', { headers: { 'x-request-timeout-ms': 'soon' } })
  isProblem(t, got, 400, 'INPUT_INVALID')
  t.same(got.body.errors?.map(({ pointer }) => pointer).sort(), ['/headers/x-request-timeout-ms', '/query/count'])
})
