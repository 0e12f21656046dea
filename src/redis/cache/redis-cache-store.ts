import { redisCloseMs } from '../../core/redis-close.ts'
import { machineClock, type Clock, type Entry } from '../../upstream/policies/cache/entry.ts'
import type { CacheStore, CacheStoreLookup } from '../../upstream/policies/cache/store.ts'
import type { Connection } from '../commands/connection.ts'
import type { Commands } from '../commands/commands.ts'
import type { Keys } from '../commands/keys.ts'
import { replyCodeOf, StoreUnavailable } from '../commands/store-errors.ts'
import { EntryCommands } from './entry-commands.ts'
import { readEntryText, writeEntry } from './entry-text.ts'
import { toSteadyTimes, toWallTimes } from './entry-times.ts'
import { createLeases } from './leases.ts'
import { MemoryLevel } from './memory-level.ts'
import { SharedLookups } from './shared-lookups.ts'
import { UnsentInvalidations } from './unsent-invalidations.ts'

export interface RedisCacheStoreOptions {
  readonly commands: Commands
  readonly connection: Pick<Connection, 'subscribe'>
  readonly keys: Keys
  /** The time that a command waits for its reply, in ms. */
  readonly patienceMs: number
  /** The limits of the memory level. `false`: each lookup reads the server. */
  readonly memory: { readonly maxBytes: number; readonly ttl: number } | false
  /** Bodies with more characters are compressed. */
  readonly compressAbove: number
  /** The largest body that is stored, in bytes. */
  readonly maxEntryBytes: number
  readonly clock?: Clock
}

/** The counts of the memory level. */
export interface MemoryGauge {
  readonly memoryHits: number
  readonly entries: number
  readonly bytes: number
}

/** The shared cache on a server. */
export interface RedisCacheStore {
  readonly store: CacheStore
  readonly gauge: () => MemoryGauge
  /**
   * Ends the subscription and the renewals of leases. Waits a short time for the server if it does not have all
   * invalidations of this process.
   */
  close(): Promise<void>
}

/** The lookup while the server is unavailable. */
const unavailable: CacheStoreLookup = Object.freeze({ generation: null })

/**
 * The time of a lookup or an invalidation as a multiple of the patience. Each waits for at most two commands, one after
 * the other. The rest is for a busy event loop.
 */
const timeoutRatio = 5

/** The time for which nothing is stored after the server was full, in ms. */
const fullMs = 1000

/** Bodies with more characters are large. */
const largeBody = 64 * 1024

/** The number of large bodies that are written at the same time. Others are not stored. */
const maxLargeWrites = 64

/** Creates the store of a cache that replicas share. While the server is unavailable, each lookup is a miss. */
export function createRedisCacheStore(options: RedisCacheStoreOptions): RedisCacheStore {
  const { commands, connection, keys, patienceMs, compressAbove, maxEntryBytes, clock = machineClock } = options
  const entries = new EntryCommands(commands, keys)
  const memory = options.memory && new MemoryLevel({ ...options.memory, contactMs: patienceMs / 2, clock })
  const lookups = new SharedLookups<CacheStoreLookup>()
  const leases = createLeases({ commands, keys })
  const unsent = new UnsentInvalidations(commands, uri => entries.invalidate(uri))
  let largeWrites = 0
  let fullUntil = -Infinity

  commands.onAvailable(() => unsent.flush())
  if (memory) commands.onUnavailable(() => memory.clear())
  const unsubscribe =
    memory &&
    connection.subscribe(
      keys.invalidations,
      uri => memory.invalidate(uri),
      isSubscribed => memory.setSubscribed(isSubscribed),
    )

  const isFull = () => clock.steady() < fullUntil

  /** A full server refuses writes. They are not tried again for a time. */
  function noteFull(error: unknown): void {
    if (replyCodeOf(error) === 'OOM') fullUntil = clock.steady() + fullMs
  }

  async function read(key: string, uri: string): Promise<CacheStoreLookup> {
    try {
      const sentAt = clock.steady()
      const { text, generation } = await entries.read(key, uri, !isFull())
      if (memory) memory.answered(sentAt)
      if (generation === null) return unavailable
      if (text === null) return { generation }
      // Several calls can share this lookup.
      const entry = Object.freeze(toSteadyTimes(await readEntryText(text, maxEntryBytes), clock))
      if (entry === undefined) return { generation }
      if (memory) memory.add({ key, uri, entry, generation, sentAt })
      return { entry: entry as Entry, generation }
    } catch (error) {
      if (error instanceof StoreUnavailable) return unavailable
      throw error
    }
  }

  /**
   * Resolves with false if the server could not be used. An entry whose URI has changed is not stored either. That is
   * not false, because other replicas already wait for an answer of the new generation.
   */
  async function write(
    key: string,
    uri: string,
    entry: Entry & { readonly body: string },
    retentionMs: number,
  ): Promise<boolean> {
    const isLarge = entry.body.length > largeBody
    if (isLarge) largeWrites++
    try {
      const text = await writeEntry(toWallTimes(entry, clock), compressAbove)
      await entries.store(key, uri, text, entry.generation, retentionMs)
      return true
    } catch (error) {
      if (error instanceof StoreUnavailable) return false
      noteFull(error)
      throw error
    } finally {
      if (isLarge) largeWrites--
    }
  }

  async function remove(key: string, uri: string): Promise<void> {
    if (memory) memory.remove(key, uri)
    if (commands.isAvailable) await entries.remove(key, uri)
  }

  const store: CacheStore = {
    storage: 'bodies',
    getTimeout: timeoutRatio * patienceMs,
    leases: leases.leases,
    get(key, uri) {
      if (!commands.isAvailable || commands.hasOverdue || unsent.has(uri)) {
        commands.skip()
        return unavailable
      }
      return (memory && memory.find(key, uri)) || lookups.find(key, () => read(key, uri))
    },
    async set(key, uri, entry, retentionMs) {
      const { body = '' } = entry
      if (!commands.isAvailable || isFull() || retentionMs <= 0) return false
      if (body.length > maxEntryBytes || Buffer.byteLength(body) > maxEntryBytes) {
        await remove(key, uri)
        return false
      }
      if (body.length > largeBody && largeWrites >= maxLargeWrites) return false
      return write(key, uri, { ...entry, body }, retentionMs)
    },
    delete: remove,
    async invalidate(uri) {
      if (memory) memory.invalidate(uri)
      try {
        await entries.invalidate(uri)
      } catch (error) {
        if (!commands.isReachable) entries.postInvalidation(uri)
        await unsent.add(uri, error)
      } finally {
        if (memory) memory.invalidate(uri)
      }
    },
  }

  return {
    store,
    gauge: () => ({
      memoryHits: memory ? memory.hits : 0,
      entries: memory ? memory.entries : 0,
      bytes: memory ? memory.bytes : 0,
    }),
    async close() {
      leases.close()
      if (unsubscribe) unsubscribe()
      await unsent.drain(redisCloseMs)
    },
  }
}
