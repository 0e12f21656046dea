import { test } from 'tap'
import type { Explanation } from '../../../src/explain/explanation.ts'
import { definitionsFolder, words } from '../../helpers/definitions-folder.ts'
import { json, rawUpstream } from '../../helpers/raw-upstream.ts'
import { runCommand } from '../../helpers/service-process.ts'
import { adminKey, adminService, scrape, type ScrapeOptions } from './helpers/admin-service.ts'

const path = '/explain/breed?breed=siamese'

/** Reads the explanation of breed. */
async function explanation(port: number, options: ScrapeOptions = {}): Promise<Explanation> {
  const { text } = await scrape(port, { path, ...options })
  return JSON.parse(text) as Explanation
}

test('the admin listener explains with the present state of upstreams, and the main port in production does not', async t => {
  const { port, adminPort, origin } = await adminService(t, { HEADWATERS_UPSTREAM_WIKIPEDIA_ATTEMPT_TIMEOUT_MS: '700' })
  t.equal((await scrape(port, { path })).status, 404)
  t.equal((await scrape(port, { path: '/explain' })).status, 404)
  t.match(await scrape(adminPort, { path: '/explain' }), { status: 200, text: '"name":"cat-facts"' })
  const before = await explanation(adminPort)
  t.match(before.steps[0]?.calls, [{ path: '/v1/breeds/search?q=siamese' }])
  t.match(
    before.upstreams['wikipedia']?.limits.find(({ name }) => name === 'attemptTimeout'),
    { value: 700, from: 'HEADWATERS_UPSTREAM_WIKIPEDIA_ATTEMPT_TIMEOUT_MS' },
  )
  t.match(before.service.limits, [{ name: 'MAX_RUNS', value: 1000, from: 'default' }])
  t.notOk('now' in (before.upstreams['the-cat-api'] ?? {}), 'no call was made')
  await fetch(`${origin}/v1/breeds/siamese`)
  t.match((await explanation(adminPort)).upstreams['the-cat-api']?.now, {
    breaker: 'closed',
    permits: 64,
    active: 0,
    queued: 0,
  })
  t.match(await scrape(adminPort, { path: '/explain/brede' }), { status: 404, text: "did you mean 'breed'?" })
})

test('the origins of an environment are explained with their present state', async t => {
  const upstreams = [await rawUpstream(t, json({ word: 'cat' })), await rawUpstream(t, json({ word: 'cat' }))]
  const { path: folder } = definitionsFolder(t, { 'words.ts': words('http://127.0.0.1:9', { name: 'words' }) })
  const variable = 'HEADWATERS_UPSTREAM_WORD_SOURCE_ORIGINS'
  const environment = { [variable]: `${upstreams[0]?.origin};weight=2, ${upstreams[1]?.origin}` }
  const { adminPort, origin } = await adminService(t, environment, ['serve', folder])
  t.equal((await fetch(`${origin}/words`)).status, 200)
  const { text } = await scrape(adminPort, { path: '/explain/words' })
  t.match((JSON.parse(text) as Explanation).upstreams['word-source'], {
    origin: /^http:\/\/word-source\.[0-9a-f]{8}\.invalid$/,
    origins: [
      { origin: upstreams[0]?.origin, weight: 2, from: variable },
      { origin: upstreams[1]?.origin, weight: 1, from: variable },
    ],
    now: {
      origins: upstreams.map(each => ({ origin: new URL(each.origin).host, state: 'available', active: 0 })),
    },
  })
})

test('explanations need the key of the operator, and are open on the main port in development', async t => {
  const { port, adminPort } = await adminService(t, { HEADWATERS_ENV: 'development', ADMIN_KEY: adminKey })
  t.equal((await scrape(adminPort, { path })).status, 401)
  t.match(await explanation(adminPort, { key: adminKey }), { aggregate: 'breed' })
  t.match(await explanation(port), { aggregate: 'breed' })
  t.match(await scrape(port, { path, name: 'rebound.example' }), { status: 421, text: 'MISDIRECTED' })
})

test('with workers the first worker explains its share', async t => {
  const { adminPort, said } = await adminService(t, {}, ['serve', '--workers', '2'])
  await said('serving')
  const { upstreams, service } = await explanation(adminPort)
  t.match(upstreams['the-cat-api']?.limits, [
    { name: 'concurrency', value: 32, whole: 64, reducedBy: '1 of 2 workers' },
  ])
  t.match(service.limits, [{ name: 'MAX_RUNS', value: 500, whole: 1000 }])
})

test('with --watch the explanation follows the definitions', async t => {
  const folder = definitionsFolder(t, { 'words.ts': words('http://a.example', { name: 'first' }) })
  const { adminPort, said } = await adminService(t, {}, ['serve', folder.path, '--watch'])
  t.match(await scrape(adminPort, { path: '/explain' }), { text: '/first' })
  folder.write('words.ts', words('http://a.example', { name: 'second' }))
  await said('definitions reloaded')
  const { text } = await scrape(adminPort, { path: '/explain' })
  t.match(text, '/second')
  t.notMatch(text, '/first')
})

test('an aggregate at a path of the explanations stops the start in development only', async t => {
  const { path: folder } = definitionsFolder(t, {
    'taken.ts': `
import { aggregate } from 'headwaters'
import { z } from 'zod'
const options = { url: '/explain/{name}', params: z.object({ name: z.string() }) }
export const taken = aggregate('taken', options).reply(z.number(), () => 1)
`,
  })
  const development = await runCommand(t, ['check', folder], { HEADWATERS_ENV: 'development' })
  t.equal(development.code, 2)
  t.match(
    development.errors,
    "the url of the aggregate 'taken' is /explain/{name}, where the app serves its explanations",
  )
  t.equal((await runCommand(t, ['check', folder])).code, 0, 'production')
})
