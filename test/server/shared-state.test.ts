import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type Test } from 'tap'
import { definitionsFolder } from '../helpers/definitions-folder.ts'
import { httpUpstream } from '../helpers/http-upstream.ts'
import { redisMissing, startRedis } from '../helpers/redis.ts'
import { runCommand, startService, type Environment } from '../helpers/service-process.ts'
import { until } from '../helpers/until.ts'

const skip = redisMissing
const password = 'redis-5ecret/A'

/** Definitions with one item that is cached, of an upstream that numbers its answers. */
async function numbered(t: Test) {
  let calls = 0
  const upstream = await httpUpstream(t, ({ response }) => {
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'max-age=60' })
    response.end(JSON.stringify({ call: ++calls }))
  })
  const { path } = definitionsFolder(t, {
    'item.mjs': `
import { aggregate, defineUpstream, operation } from 'headwaters'
import { z } from 'zod'
const params = z.object({ key: z.string() })
const output = z.object({ call: z.number() })
const source = defineUpstream('source', { origin: '${upstream.origin}' }, {
  item: operation({ path: '/{key}', params, output, cache: true }),
})
export const item = aggregate('item', { url: '/items/{key}', params, deadline: 5000 })
  .required('item', ({ params }) => source.item(params))
  .reply(output, ({ item }) => item)
`,
  })
  return { path, calls: () => calls }
}

async function item(origin: string, key: string): Promise<unknown> {
  const response = await fetch(`${origin}/items/${key}`)
  return response.status === 200 ? ((await response.json()) as { readonly data: unknown }).data : response.status
}

async function metric(origin: string, series: string): Promise<number | undefined> {
  const lines = (await (await fetch(`${origin}/metrics`)).text()).split('\n')
  const line = lines.find(each => each.startsWith(`${series} `))
  return line === undefined ? undefined : Number(line.slice(series.length + 1))
}

// Other tests run beside this one: a reply of Redis can take longer than usual.
const open: Environment = { HEADWATERS_ENV: 'development', HEADWATERS_REDIS_PATIENCE_MS: '1000' }

test('two services with one Redis share answers, and no line of their log has its password', { skip }, async t => {
  const server = await startRedis(t, { tcp: true, password })
  const { path, calls } = await numbered(t)
  const variables = {
    ...open,
    HEADWATERS_REDIS_URL: `redis://:${encodeURIComponent(password)}@127.0.0.1:${server.port}/2`,
    HEADWATERS_REDIS_PREFIX: 'shop:test',
  }
  const services = await Promise.all([1, 2].map(() => startService(t, variables, ['serve', path])))
  const [one, two] = services as [(typeof services)[0], (typeof services)[0]]
  for (const { origin } of services) await until(async () => (await metric(origin, 'headwaters_replicas')) === 2)
  for (const { origin } of services)
    await until(async () => (await metric(origin, 'headwaters_shared_store_available')) === 1)
  t.same(await item(one.origin, 'a'), { call: 1 })
  await until(
    async () => (await metric(one.origin, 'headwaters_cache_requests_total{upstream="source",result="miss"}')) === 1,
  )
  t.same(await item(two.origin, 'a'), { call: 1 })
  t.equal(calls(), 1)
  t.ok(((await metric(two.origin, 'headwaters_shared_store_commands_total{result="ok"}')) ?? 0) > 0)
  await Promise.all(services.map(({ said }) => said('shared store available')))
  const configuration = await one.said('configuration')
  t.equal(
    (configuration['set'] as Record<string, unknown>)['HEADWATERS_REDIS_URL'],
    `redis://[redacted]@127.0.0.1:${server.port}/2`,
  )
  one.stop('SIGTERM')
  t.equal((await one.ended).code, 0)
  await until(async () => (await metric(two.origin, 'headwaters_replicas')) === 1)
  t.notMatch(JSON.stringify([one.log, two.log]), '5ecret')
})

test('a service starts and answers without its Redis, and uses it when it is up', { skip }, async t => {
  const server = await startRedis(t, { tcp: true })
  await server.stop('SIGKILL')
  const { path } = await numbered(t)
  const { origin, said, log, stop, ended } = await startService(
    t,
    { ...open, HEADWATERS_REDIS_URL: server.url, RATE_LIMIT: '1000' },
    ['serve', path],
  )
  t.same(await item(origin, 'a'), { call: 1 })
  t.match(await said('shared store unavailable; requests continue without it'), {
    level: 40,
    reason: 'the connection failed with ECONNREFUSED',
  })
  t.equal(await metric(origin, 'headwaters_shared_store_available'), 0)
  t.equal(log.filter(({ level }) => level >= 50).length, 0)
  await server.restart()
  await said('shared store available')
  t.same(await item(origin, 'b'), { call: 2 })
  t.equal(await metric(origin, 'headwaters_shared_store_available'), 1)
  stop('SIGTERM')
  t.equal((await ended).code, 0)
})

test('workers are one replica, and reload keeps the shared state', { skip }, async t => {
  const server = await startRedis(t, { tcp: true })
  const { path, calls } = await numbered(t)
  const variables = { ...open, HEADWATERS_REDIS_URL: server.url }
  const workers = await startService(t, { ...variables, RATE_LIMIT: '1000' }, ['serve', path, '--workers', '2'])
  await until(async () => (await metric(workers.origin, 'headwaters_shared_store_available')) === 2)
  t.equal(await metric(workers.origin, 'headwaters_replicas'), 1)
  t.same(await item(workers.origin, 'a'), { call: 1 })
  const watched = await startService(t, variables, ['serve', path, '--watch'])
  await until(async () => (await metric(watched.origin, 'headwaters_shared_store_available')) === 1)
  t.equal(await metric(watched.origin, 'headwaters_replicas'), 2)
  t.same(await item(watched.origin, 'a'), { call: 1 })
  const file = join(path, 'item.mjs')
  writeFileSync(file, readFileSync(file, 'utf8').replace('deadline: 5000', 'deadline: 5001'))
  await watched.said('definitions reloaded')
  t.same(await item(watched.origin, 'a'), { call: 1 })
  t.equal(calls(), 1)
  for (const service of [workers, watched]) {
    service.stop('SIGTERM')
    t.equal((await service.ended).code, 0)
  }
})

test('a service that drains as long as it may still has the time to write its invalidations', { skip }, async t => {
  const server = await startRedis(t, { tcp: true })
  const upstream = await httpUpstream(t, ({ request, json }) => {
    if (request.method === 'PUT') json({ call: 1 })
  })
  const { path } = definitionsFolder(t, {
    'item.mjs': `
import { aggregate, defineUpstream, operation } from 'headwaters'
import { z } from 'zod'
const params = z.object({ key: z.string() })
const output = z.object({ call: z.number() })
const source = defineUpstream('source', { origin: '${upstream.origin}' }, {
  item: operation({ path: '/{key}', params, output, cache: true }),
  change: operation({ method: 'PUT', path: '/{key}', params, output }),
})
export const item = aggregate('item', { url: '/items/{key}', params, deadline: 60_000 })
  .required('item', ({ params }) => source.item(params))
  .reply(output, ({ item }) => item)
export const change = aggregate('change', { method: 'PUT', url: '/items/{key}', params, deadline: 60_000 })
  .required('item', ({ params }) => source.change(params))
  .reply(output, ({ item }) => item)
`,
  })
  const { origin, said, stop, ended } = await startService(
    t,
    { ...open, DRAIN_MS: '500', HEADWATERS_REDIS_URL: server.url, HEADWATERS_REDIS_PATIENCE_MS: '50' },
    ['serve', path],
  )
  await said('shared store available')
  await server.stop('SIGSTOP')
  t.equal((await fetch(`${origin}/items/a`, { method: 'PUT' })).status, 200)
  const held = fetch(`${origin}/items/a`).catch(() => {})
  await upstream.arrived('GET /a')
  stop('SIGTERM')
  t.equal((await ended).code, 0)
  await held
})

test('options that the client cannot use end the start with exit code 2 and the fix', async t => {
  for (const [options, fault] of [
    ['{"keyPrefix":"a:"}', 'HEADWATERS_REDIS_OPTIONS: redis: client must not have the option keyPrefix: remove it'],
    ['{"nodes":[]}', 'HEADWATERS_REDIS_OPTIONS: nodes must be a list of servers, for example [{"host":"10.0.0.1"'],
    ['{"password":"5ecret",}', 'HEADWATERS_REDIS_OPTIONS: the text cannot be read as JSON'],
  ] as const) {
    const { code, errors } = await runCommand(t, ['serve'], { PORT: '0', HEADWATERS_REDIS_OPTIONS: options })
    t.equal(code, 2, options)
    t.ok(errors.includes(`invalid configuration\n  ${fault}`), errors)
    t.notMatch(errors, '5ecret')
  }
})
