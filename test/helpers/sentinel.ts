import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import type { Teardowns } from './teardowns.ts'
import { quietPort } from './quiet-port.ts'
import { startRedis, type RedisServer } from './redis.ts'
import { until } from './until.ts'

/** The number of Sentinels, and the number of those that must see that the primary is down. */
const count = 3
const quorum = 2

/** The name under which Sentinel knows the primary. */
const name = 'items'

/** A primary with one replica under three Sentinels, which promote the replica when the primary is down. */
export interface SentinelGroup {
  readonly primary: RedisServer
  readonly replica: RedisServer
  /** The options with which a client of ioredis finds the primary. */
  readonly clientOptions: { readonly name: string; readonly sentinels: readonly { host: string; port: number }[] }
}

/** Starts the servers. They know each other when the promise resolves, and end with the test. */
export async function startSentinels(t: Teardowns): Promise<SentinelGroup> {
  const primary = await startRedis(t, { tcp: true, config: ['repl-diskless-sync-delay 0'] })
  const replica = await startRedis(t, { tcp: true, replicaOf: primary })
  const client = await replica.client(t)
  // A Sentinel finds the replicas that the primary has when it starts.
  await until(async () => (await client.info('replication')).includes('master_link_status:up'))
  const ports: number[] = []
  for (let index = 0; index < count; index++) ports.push(await startSentinel(t, primary))
  await Promise.all(ports.map(port => untilComplete(t, port)))
  return { primary, replica, clientOptions: { name, sentinels: ports.map(port => ({ host: '127.0.0.1', port })) } }
}

/** Starts a Sentinel. Returns its port. */
async function startSentinel(t: Teardowns, primary: RedisServer): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'headwaters-sentinel-'))
  const file = join(folder, 'sentinel.conf')
  const port = await quietPort()
  const lines = [
    `dir ${folder}`,
    `port ${port}`,
    'bind 127.0.0.1',
    `sentinel monitor ${name} 127.0.0.1 ${primary.port} ${quorum}`,
    `sentinel down-after-milliseconds ${name} 1500`,
    `sentinel failover-timeout ${name} 3000`,
  ]
  writeFileSync(file, `${lines.join('\n')}\n`)
  const child = spawn('redis-server', [file, '--sentinel'], { stdio: 'ignore' })
  const ended = once(child, 'exit')
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
    rmSync(folder, { recursive: true, force: true })
  })
  return port
}

/** Resolves when a Sentinel knows the primary, its replica and the other Sentinels. */
async function untilComplete(t: Teardowns, port: number): Promise<void> {
  const client = new Redis({ port, host: '127.0.0.1', retryStrategy: () => 50, maxRetriesPerRequest: null })
  client.on('error', () => {})
  t.teardown(() => client.disconnect())
  await until(async () => {
    const info = await client.info('sentinel')
    return info.includes(`name=${name},status=ok,`) && info.includes(`slaves=1,sentinels=${count}`)
  })
}
