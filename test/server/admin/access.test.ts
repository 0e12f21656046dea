import { networkInterfaces } from 'node:os'
import { test } from 'tap'
import { runCommand, startService } from '../../helpers/service-process.ts'
import { adminKey, adminService, apiKey, scrape } from './helpers/admin-service.ts'

const hasIpv6 = Object.values(networkInterfaces())
  .flat()
  .some(each => each?.address === '::1')

/** The statuses of a scrape of one port: without a key, with an API key and with the key of the operator. */
async function statuses(port: number, host?: string): Promise<readonly number[]> {
  const got: number[] = []
  for (const key of [undefined, apiKey, adminKey])
    got.push((await scrape(port, { ...(host !== undefined && { host }), ...(key !== undefined && { key }) })).status)
  return got
}

const open = [200, 200, 200]
const protectedByKey = [401, 401, 200]
const absent = [404, 404, 404]

for (const { env, key, main, admin } of [
  { env: '', key: '', main: absent, admin: open },
  { env: 'production', key: adminKey, main: protectedByKey, admin: protectedByKey },
  { env: 'development', key: '', main: open, admin: open },
  { env: 'development', key: adminKey, main: open, admin: protectedByKey },
]) {
  test(`HEADWATERS_ENV='${env}' ${key === '' ? 'without' : 'with'} ADMIN_KEY decides who reads the metrics`, async t => {
    const { port, adminPort } = await adminService(t, { HEADWATERS_ENV: env, ADMIN_KEY: key, API_KEYS: apiKey })
    t.same(await statuses(port), main, 'the main port')
    t.same(await statuses(adminPort), admin, 'the admin listener')
    for (const path of ['/health/live', '/health/ready']) {
      t.equal((await scrape(port, { path })).status, 200)
      t.equal((await scrape(adminPort, { path })).status, 200)
    }
    const path = '/v1/cat-facts?count=1'
    t.equal((await scrape(port, { path, key: apiKey })).status, 200)
    t.equal((await scrape(port, { path, key: adminKey })).status, 401, 'the key of the operator opens no aggregate')
    for (const path of ['/v1/cat-facts?count=1', '/docs', '/openapi.json', '/'])
      t.equal((await scrape(adminPort, { path, key: adminKey })).status, 404, `the admin listener has no ${path}`)
  })
}

test('a caller can rehearse faults in development, and in production the header changes nothing', async t => {
  for (const env of ['development', 'production']) {
    const { port } = await adminService(t, { HEADWATERS_ENV: env })
    const response = await fetch(`http://127.0.0.1:${port}/v1/cat-facts?count=1`, {
      headers: { 'x-headwaters-fault': 'meow=drop' },
    })
    const { sources } = (await response.json()) as { sources: { meow: { state: string; fault?: string } } }
    t.equal(sources.meow.fault, env === 'development' ? 'drop' : undefined)
  }
})

test('metrics without a key are refused if the Host is a name other than localhost', async t => {
  const name = 'headwaters:3000'
  const { port, adminPort } = await adminService(t, { HEADWATERS_ENV: 'development' })
  for (const each of [port, adminPort]) {
    t.match(await scrape(each, { name }), { status: 421, text: /"code":"MISDIRECTED"/ })
    t.equal((await scrape(each, { name: `localhost:${each}` })).status, 200)
    for (const path of ['/health/live', '/health/ready']) t.equal((await scrape(each, { path, name })).status, 200)
  }
  t.equal((await scrape(port, { path: '/v1/cat-facts?count=1', name })).status, 200)

  const withKey = await adminService(t, { ADMIN_KEY: adminKey })
  for (const each of [withKey.port, withKey.adminPort]) {
    t.equal((await scrape(each, { key: adminKey, name })).status, 200)
    t.equal((await scrape(each, { name })).status, 401)
  }
})

test('without the variables of the operator there is no admin listener and no metrics', async t => {
  const { port, log, said } = await startService(t)
  await said('serving')
  t.same(await statuses(port), absent)
  t.same(
    log.filter(({ msg }) => msg.includes('admin')),
    [],
  )
})

for (const [host, address, isPresent] of [
  ['127.0.0.1', '127.0.0.1', true],
  ['127.0.0.2', '127.0.0.2', process.platform === 'linux'],
  ['::1', '::1', hasIpv6],
  ['localhost', 'localhost', true],
] as const) {
  test(`the admin listener listens at ${host} without a key`, { skip: !isPresent && 'no such address' }, async t => {
    const { adminPort, adminUrl } = await adminService(t, { ADMIN_HOST: host })
    const shown =
      host === 'localhost' ? /^http:\/\/(?:127\.0\.0\.1|\[::1\]):\d+$/ : host.includes(':') ? `[${host}]` : host
    t.match(adminUrl, shown)
    t.equal((await scrape(adminPort, { host: address })).status, 200)
  })
}

test('the admin listener listens at all addresses with a key', async t => {
  const { adminPort } = await adminService(t, { ADMIN_HOST: '0.0.0.0', ADMIN_KEY: adminKey })
  t.same(await statuses(adminPort), protectedByKey)
})

test('an address that is not loopback without a key ends the start with 2', async t => {
  for (const host of ['0.0.0.0', '::', '10.0.0.1']) {
    const { code, output, errors } = await runCommand(t, ['serve'], { PORT: '0', ADMIN_PORT: '0', ADMIN_HOST: host })
    t.equal(code, 2, host)
    t.equal(output, '')
    t.match(errors, `ADMIN_KEY: is required, because ADMIN_HOST ${host} is not a loopback address`)
  }
})

test('an aggregate with the path of the metrics ends the start with 2 where they are served', async t => {
  const folder = t.testdir({
    'aggregates.mjs': `
import { aggregate } from 'headwaters'
import { z } from 'zod'
export const taken = aggregate('taken', { url: '/metrics' }).reply(z.number(), () => 1)
`,
  })
  const { code, errors } = await runCommand(t, ['serve', folder], { PORT: '0', HEADWATERS_ENV: 'development' })
  t.equal(code, 2)
  t.match(errors, "the url of the aggregate 'taken' is /metrics, where the app serves its metrics: change the url")
  t.notMatch(errors, /\bat .*:\d+:\d+/, 'without a stack')

  const { port, adminPort } = await adminService(t, {}, ['serve', folder])
  t.match(await scrape(port), { status: 200, text: /"data":1/ }, 'in production the aggregate has the path')
  t.match(await scrape(adminPort), { status: 200, text: /^# HELP /m })
})

test('no line of the log has the key of the operator', async t => {
  const { port, adminPort, log, said, stop, ended } = await adminService(t, { ADMIN_KEY: adminKey, LOG_LEVEL: 'debug' })
  await scrape(port, { key: adminKey })
  await scrape(adminPort, { key: adminKey })
  await scrape(port, { path: `/${adminKey}` })
  await scrape(adminPort, { path: `/${adminKey}?key=${adminKey}` })
  await said('serving')
  stop('SIGTERM')
  await ended
  t.ok(log.length > 8, `${log.length} lines`)
  t.match(JSON.stringify(log), /"url":"\/\[redacted\]"/)
  t.notMatch(JSON.stringify(log), adminKey)
})
