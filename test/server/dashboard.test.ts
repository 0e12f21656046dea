import { test, type Test } from 'tap'
import type { Sample, UpstreamSample } from '../../src/dashboard/protocol.ts'
import { openReader, type OpenReader } from '../admin/dashboard/helpers/open-reader.ts'
import { definitionsFolder } from '../helpers/definitions-folder.ts'
import { httpUpstream } from '../helpers/http-upstream.ts'
import { isExact } from '../helpers/timing.ts'
import { until } from '../helpers/until.ts'
import type { Environment } from '../helpers/service-process.ts'
import { adminKey, adminService, scrape } from './admin/helpers/admin-service.ts'

const definitions = (origin: string, name = 'pets') => `
import { aggregate, defineUpstream, operation } from 'headwaters'
import { z } from 'zod'

const cats = defineUpstream('cats', { origin: '${origin}', retry: false, breaker: { minimumCalls: 20 } }, {
  fact: operation({ path: '/cat', output: z.object({ fact: z.string() }) }),
})
const dogs = defineUpstream('dogs', { origin: '${origin}' }, {
  fact: operation({ path: '/dog', output: z.object({ fact: z.string() }) }),
})
export const ${name} = aggregate('${name}', { url: '/${name}', deadline: 5000 })
  .optional('cat', () => cats.fact(), { fallback: null })
  .optional('dog', () => dogs.fact(), { fallback: null })
  .reply(z.unknown(), ({ cat, dog }) => [cat, dog])
`

/** The service with an upstream that fails when the test says so. */
async function arrange(t: Test, environment: Environment = {}, ...flags: readonly string[]) {
  const health = { fails: false }
  const { origin } = await httpUpstream(t, ({ request, json }) => {
    json({ fact: 'They purr.' }, health.fails && request.url === '/cat' ? 500 : 200)
  })
  const folder = definitionsFolder(t, { 'aggregates.mjs': definitions(origin) })
  const service = await adminService(t, environment, ['serve', folder.path, ...flags])
  await service.said('serving')
  return { ...service, health, folder, upstream: origin, admin: `http://127.0.0.1:${service.adminPort}` }
}

/** Sends requests until the test ends: 50 a second. */
function load(t: Test, url: string): void {
  const timer = setInterval(() => {
    fetch(url).then(
      response => response.text(),
      () => {},
    )
  }, 20)
  t.teardown(() => clearInterval(timer))
}

/** Reads samples until one meets a condition. */
async function sampleWith({ next }: OpenReader, isMet: (sample: Sample, row: UpstreamSample | undefined) => boolean) {
  let found: { readonly sample: Sample; readonly row: UpstreamSample } | undefined
  await until(async () => {
    const sample = await next('sample')
    const row = sample.upstreams.find(({ index }) => index === 0)
    if (!isMet(sample, row)) return false
    found = { sample, row: row as UpstreamSample }
    return true
  })
  return found as NonNullable<typeof found>
}

/** Bounds of time have slack where other tests run at the same time. */
const slack = isExact ? 1 : 3

test('the dashboard follows a running load, and shows an upstream that begins to fail within 2 s', async t => {
  const { origin, admin, health, said } = await arrange(t)
  t.match(await said('dashboard at'), { level: 30, msg: `dashboard at ${admin}/dashboard`, listener: 'admin' })
  const reader = await openReader(t, admin)
  const hello = await reader.next('hello')
  t.match(hello, {
    keptRuns: true,
    upstreams: [{ name: 'cats', operations: ['fact'] }, { name: 'dogs' }],
    aggregates: [{ name: 'pets', method: 'GET', url: '/pets' }],
    now: { verdict: { health: 'idle' }, workers: [] },
  })
  load(t, `${origin}/pets`)
  await sampleWith(reader, (_, row) => row?.health === 'healthy' && row.p95 !== null && row.attempts > 5)
  t.match(await reader.next('runs'), { rows: [{ aggregate: 'pets', state: 'complete', upstreams: ['cats', 'dogs'] }] })

  health.fails = true
  const failedAt = Date.now()
  const { sample, row } = await sampleWith(reader, (_, each) => each?.health === 'failing')
  t.ok(Date.now() - failedAt < 2000 * slack, `failing after ${Date.now() - failedAt} ms`)
  t.match(row, { reason: /^\d+ % of the attempts fail \(status 500\)/ })
  t.match(sample.verdict.sentences[0], [{ text: 'cats', upstream: 'cats' }, { text: /^ is failing since / }])
  t.match(await reader.next('breaker'), { upstream: 'cats', from: 'closed', to: 'open' })
  t.ok(Date.now() - failedAt < 6000 * slack, `the breaker is open after ${Date.now() - failedAt} ms`)
  const { sample: later } = await sampleWith(reader, ({ verdict }) => verdict.sentences.length === 2)
  t.match(later.verdict.sentences[1], [
    { text: 'Callers of ' },
    { aggregate: 'pets' },
    { text: /^ get partial replies/ },
  ])
  t.match(await (await fetch(`${admin}/dashboard/upstreams/cats`)).json(), { every: 500 })
})

test('the dashboard needs the key of the operator, and its page does not', async t => {
  const { adminPort, admin } = await arrange(t, { ADMIN_KEY: adminKey })
  t.match(await scrape(adminPort, { path: '/dashboard' }), { status: 200, text: /<!doctype html>/ })
  t.match(await scrape(adminPort, { path: '/dashboard/upstreams/cats' }), { status: 401 })
  t.match(await scrape(adminPort, { path: '/dashboard/upstreams/cats', key: adminKey }), { status: 200 })
  const { next } = await openReader(t, admin, { authorization: `Bearer ${adminKey}` })
  t.match(await next('hello'), { type: 'hello' })
})

test('DASHBOARD=off serves nothing, and KEPT_RUNS=0 says that runs are not kept', async t => {
  const off = await arrange(t, { DASHBOARD: 'off' })
  for (const path of ['/dashboard', '/dashboard/events', '/dashboard/upstreams/cats', '/dashboard/assets/uplot.js'])
    t.equal((await scrape(off.adminPort, { path })).status, 404, path)
  t.notOk(off.log.some(({ msg }) => msg.includes('dashboard')))
  const { admin, port } = await arrange(t, { KEPT_RUNS: '0' })
  t.match(await (await openReader(t, admin)).next('hello'), { keptRuns: false, runs: [] })
  t.equal((await scrape(port, { path: '/dashboard' })).status, 404, 'the main port has no dashboard')
})

test('after a reload a reader gets the new names, and upstreams that stay keep their counts', async t => {
  const { origin, admin, folder, upstream, said } = await arrange(t, {}, '--watch')
  const reader = await openReader(t, admin)
  await reader.next('hello')
  load(t, `${origin}/pets`)
  const { row } = await sampleWith(reader, (_, each) => each?.health === 'healthy')
  folder.write('aggregates.mjs', definitions(upstream, 'animals'))
  await said('definitions reloaded')
  const hello = await reader.next('hello')
  t.match(hello, {
    aggregates: [{ name: 'animals' }],
    now: { upstreams: [{ health: 'healthy', since: row.since }, {}] },
  })
  t.ok(hello.history.upstreams[0]?.attempts.some(count => count > 0))
  load(t, `${origin}/animals`)
  await sampleWith(reader, sample => sample.aggregates.some(({ complete }) => complete > 0))
})

test('a service that drains says bye to its readers, after its last request', async t => {
  const { admin, stop, ended } = await arrange(t)
  const reader = await openReader(t, admin)
  await reader.next('hello')
  stop('SIGTERM')
  t.same(await reader.next('bye'), { type: 'bye', reason: 'draining' })
  await reader.ended
  t.match(await ended, { code: 0 })
})
