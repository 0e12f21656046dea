import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type Test } from 'tap'
import type { AvailabilityChange } from '../../../src/redis/commands/availability.ts'
import type { RedisConfig } from '../../../src/redis-config.ts'
import { clientOptions, clusterOptions } from '../../../src/redis/serve/ioredis-options.ts'
import { openRedis } from '../../../src/redis/serve/open-redis.ts'
import { quietPort } from '../../helpers/quiet-port.ts'
import { redisMissing, startRedis } from '../../helpers/redis.ts'
import { selfSigned } from '../../helpers/self-signed.ts'
import { until } from '../../helpers/until.ts'

const skip = redisMissing
const server = { host: '127.0.0.1', port: 6379, db: 0, isTls: true }

/** Writes a certificate. Returns the lines of a server that listens with TLS only. */
async function tlsLines(t: Test) {
  const folder = mkdtempSync(join(tmpdir(), 'headwaters-tls-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const port = await quietPort()
  for (const [name, pem] of Object.entries(selfSigned)) writeFileSync(join(folder, name), pem)
  const lines = [
    `tls-port ${port}`,
    `tls-cert-file ${join(folder, 'cert')}`,
    `tls-key-file ${join(folder, 'key')}`,
    `tls-ca-cert-file ${join(folder, 'cert')}`,
    'tls-auth-clients no',
  ]
  return { folder, port, lines }
}

/** Starts a Sentinel of a primary that listens with TLS only. Returns its port. */
async function startTlsSentinel(t: Test, primaryPort: number): Promise<number> {
  const { folder, port, lines } = await tlsLines(t)
  const file = join(folder, 'sentinel.conf')
  const monitor = `sentinel monitor main 127.0.0.1 ${primaryPort} 1`
  writeFileSync(
    file,
    [`dir ${folder}`, 'bind 127.0.0.1', 'port 0', ...lines, 'tls-replication yes', monitor].join('\n'),
  )
  const child = spawn('redis-server', [file, '--sentinel'], { stdio: 'ignore' })
  const ended = once(child, 'exit')
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return port
}

/** Opens the shared state. Resolves with the first change to an availability. */
async function changeTo(t: Test, isAvailable: boolean, options: Partial<RedisConfig>): Promise<AvailabilityChange> {
  const config = { options: {}, prefix: 'headwaters', patienceMs: 1000, ...options }
  const changes: AvailabilityChange[] = []
  const state = await openRedis(config, {
    service: 'a',
    processes: 1,
    onAvailabilityChange: change => changes.push(change),
  })
  t.teardown(() => state.close())
  const isWanted = (change: AvailabilityChange) => change.isAvailable === isAvailable
  await until(() => changes.some(isWanted))
  return changes.find(isWanted) as AvailabilityChange
}

test('a URL with TLS uses TLS to the server, and verifies its certificate', { skip }, async t => {
  const { port, lines } = await tlsLines(t)
  // It listens with TLS only.
  await startRedis(t, { config: lines })
  const address = { ...server, port }
  const trusted = { tls: { ca: selfSigned.cert } }
  t.same(await changeTo(t, true, { server: address, options: trusted }), { isAvailable: true })
  t.match(await changeTo(t, false, { server: address }), {
    isAvailable: false,
    reason: /^the connection failed with \w*SELF_SIGNED_CERT/,
  })
})

test('a URL with TLS uses TLS to the Sentinels and to their primary', { skip }, async t => {
  const { port, lines } = await tlsLines(t)
  await startRedis(t, { config: lines })
  const sentinels = [{ host: '127.0.0.1', port: await startTlsSentinel(t, port) }]
  const options = { name: 'main', sentinels, tls: { ca: selfSigned.cert } }
  t.same(await changeTo(t, true, { server, options }), { isAvailable: true })
})

test('with Sentinel, TLS is on for both kinds of servers, unless the options say otherwise', async t => {
  const of = (options: RedisConfig['options'], isTls = false) => {
    const sentinels = [{ host: '10.0.0.1', port: 26_379 }]
    const { enableTLSForSentinelMode, sentinelTLS } = clientOptions({
      server: { ...server, isTls },
      options: { sentinels, ...options },
      prefix: 'a',
      patienceMs: 50,
    })
    return [enableTLSForSentinelMode, sentinelTLS]
  }
  t.same(of({}, true), [true, {}])
  t.same(of({ tls: { servername: 'a' } }), [true, { servername: 'a' }])
  t.same(of({ sentinelTLS: null }, true), [true, null])
  t.same(of({}), [undefined, undefined])
})

test('a cluster uses the access and the TLS of the URL, of its options and of its nodes', async t => {
  const of = (config: Partial<RedisConfig>) =>
    clusterOptions({ options: {}, prefix: 'a', patienceMs: 50, ...config })['redisOptions'] as object
  const nodes = ['rediss://10.0.0.1:6379']
  t.match(of({ server: { ...server, password: 'a' }, options: { nodes: [{ host: '10.0.0.1' }] } }), {
    tls: {},
    password: 'a',
  })
  t.match(of({ options: { nodes } }), { tls: {} })
  t.match(of({ options: { nodes, tls: { servername: 'a' }, username: 'b', password: 'c' } }), {
    tls: { servername: 'a' },
    username: 'b',
    password: 'c',
  })
  t.match(of({ options: { nodes, redisOptions: { tls: { servername: 'd' } } } }), { tls: { servername: 'd' } })
  t.notOk(Object.hasOwn(of({ options: { nodes: ['redis://10.0.0.1:6379'] } }), 'tls'))
})
