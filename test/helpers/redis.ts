import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import type { Teardowns } from './teardowns.ts'
import { quietPort } from './quiet-port.ts'
import { until } from './until.ts'

/** Why a test with Redis is skipped, or `false`; where every test must run, a missing Redis is a failure. */
export const redisMissing = missing()

export interface RedisServerOptions {
  /** More lines of the configuration. */
  readonly config?: readonly string[]
  /** The server of which this one is a replica. It must listen on TCP. */
  readonly replicaOf?: RedisServer
  /** @default none is required */
  readonly password?: string
  /** Whether it listens on a port of 127.0.0.1 too. @default false */
  readonly tcp?: boolean
}

/** A server of Redis that a test has started. */
export interface RedisServer {
  /** The unix socket. */
  readonly socket: string
  /** The URL of the port. Only with `tcp`. */
  readonly url: string
  readonly port: number | undefined
  readonly pid: number
  /** Returns a client of ioredis that is ready. It ends with the test, and reconnects within 50 ms. */
  client(t: Teardowns): Promise<Redis>
  /** Ends the server, or stops it with SIGSTOP. Resolves when it has ended or stopped. */
  stop(signal?: NodeJS.Signals): Promise<void>
  /** Starts it again after `stop`, with the same folder, socket and port. */
  restart(): Promise<void>
}

/** Starts a server of Redis in a folder of its own. It ends with the test. */
export async function startRedis(
  t: Teardowns,
  { config = [], password, replicaOf, tcp = false }: RedisServerOptions = {},
): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'headwaters-redis-'))
  const socket = join(folder, 's')
  const port = tcp ? await quietPort() : undefined
  const lines = [
    `dir ${folder}`,
    `port ${port ?? 0}`,
    'bind 127.0.0.1',
    `unixsocket ${socket}`,
    'save ""',
    'appendonly no',
    ...(replicaOf === undefined ? [] : [`replicaof 127.0.0.1 ${replicaOf.port}`]),
    ...(password === undefined ? [] : [`requirepass ${password}`]),
    ...config,
  ].join('\n')
  let child: ChildProcess
  let ended: Promise<unknown>

  async function start() {
    child = spawn('redis-server', ['-'], { stdio: ['pipe', 'ignore', 'ignore'] })
    ended = once(child, 'exit')
    child.stdin?.end(lines)
    await until(() => isAnswering(socket, password))
  }

  async function stop(signal: NodeJS.Signals = 'SIGKILL') {
    child.kill(signal)
    if (signal !== 'SIGSTOP' && signal !== 'SIGCONT') await ended
  }

  await start()
  t.teardown(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGCONT')
      await stop('SIGKILL')
    }
    rmSync(folder, { recursive: true, force: true })
  })
  return {
    socket,
    get url() {
      if (port === undefined) throw new Error('the server has no port: start it with tcp: true')
      return `redis://127.0.0.1:${port}`
    },
    port,
    get pid() {
      return child.pid as number
    },
    async client(t) {
      const client = new Redis({ path: socket, ...(password !== undefined && { password }), retryStrategy: () => 50 })
      client.on('error', () => {})
      t.teardown(() => client.disconnect())
      await once(client, 'ready')
      return client
    },
    stop,
    restart: start,
  }
}

/** Whether a server answers PING and has loaded its data. */
async function isAnswering(socket: string, password: string | undefined): Promise<boolean> {
  const client = new Redis({
    path: socket,
    ...(password !== undefined && { password }),
    lazyConnect: true,
    retryStrategy: () => null,
  })
  client.on('error', () => {})
  try {
    await client.connect()
    return (await client.ping()) === 'PONG'
  } catch {
    return false
  } finally {
    client.disconnect()
  }
}

function missing(): string | false {
  if (spawnSync('redis-server', ['--version']).status === 0) return false
  const reason = 'redis-server is not installed (Debian: apt-get install redis-server)'
  if (process.env['HEADWATERS_TEST_ALL'] === '1')
    throw new Error(`HEADWATERS_TEST_ALL=1 allows no skipped test, and ${reason}`)
  return reason
}
