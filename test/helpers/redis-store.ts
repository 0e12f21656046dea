import { hash, randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'
import type { Test } from 'tap'
import { createRedisCacheStore, type RedisCacheStoreOptions } from '../../src/redis/cache/redis-cache-store.ts'
import { connectionOf } from '../../src/redis/commands/client.ts'
import { Commands } from '../../src/redis/commands/commands.ts'
import { keysOf, type Keys } from '../../src/redis/commands/keys.ts'
import type { RedisClient } from '../../src/redis/commands/redis-client.ts'
import { machineClock, type Entry } from '../../src/upstream/policies/cache/entry.ts'
import type { CacheStoreLookup } from '../../src/upstream/policies/cache/store.ts'
import type { RedisServer } from './redis.ts'
import { until } from './until.ts'

export type StoreOptions = Partial<
  Pick<RedisCacheStoreOptions, 'memory' | 'compressAbove' | 'maxEntryBytes' | 'patienceMs' | 'clock'>
> & {
  /** @default a client of ioredis */
  readonly client?: RedisClient
  readonly settleMs?: number
}

/** The store of one replica. */
export interface OpenStore extends ReturnType<typeof createRedisCacheStore> {
  readonly commands: Commands
  readonly keys: Keys
  /** Looks up an entry by its short names. */
  readonly read: (key: string, uri?: string) => Promise<CacheStoreLookup>
  /** Stores a body under the generation of its URI, and resolves when the server has it. */
  readonly write: (
    key: string,
    body: string,
    options?: { readonly uri?: string; readonly rest?: Partial<Entry> },
  ) => Promise<void>
}

/** The name under which a store of bodies has a key or a URI. */
export const nameOf = (text: string) => hash('sha256', text, 'base64url')

/** Returns an entry that is fresh for a minute. */
export function entryFor(key: string, generation: string, body: string, rest: Partial<Entry> = {}): Entry {
  const now = machineClock.steady()
  return {
    key: nameOf(key),
    status: 200,
    head: { 'content-type': 'application/json' },
    bytes: Buffer.byteLength(body),
    generation,
    requestedAt: now,
    receivedAt: now,
    initialAge: 0,
    lifetime: 60_000,
    staleWhileRevalidate: 0,
    staleIfError: 0,
    body,
    ...rest,
  }
}

/** Opens the store of a replica on a server. It closes with the test. Without `memory` each lookup reads the server. */
export async function openStore(t: Test, server: RedisServer, options: StoreOptions = {}): Promise<OpenStore> {
  const { client = await server.client(t), patienceMs = 2000, settleMs = 0, memory = false } = options
  const connection = connectionOf(client)
  const keys = keysOf('test')
  const commands = new Commands({ connection, keys, patienceMs, settleMs, onChange: () => {} })
  const { compressAbove = 2048, maxEntryBytes = 2 ** 20, clock = machineClock } = options
  const limits = { memory, compressAbove, maxEntryBytes }
  const opened = createRedisCacheStore({ commands, connection, keys, patienceMs, clock, ...limits })
  t.teardown(async () => {
    await opened.close()
    commands.close()
  })
  await until(() => commands.isAvailable)
  const { store } = opened
  const read = async (key: string, uri = key) => (await store.get(nameOf(key), nameOf(uri))) as CacheStoreLookup
  return {
    ...opened,
    commands,
    keys,
    read,
    async write(key, body, { uri = key, rest } = {}) {
      const { generation } = await read(key, uri)
      await store.set(nameOf(key), nameOf(uri), entryFor(key, generation ?? randomUUID(), body, rest), 60_000)
    },
  }
}

/** Returns the names of all keys of a server. */
export const keysIn = (client: Redis) => client.keys('*')
