import { wholeNumber } from '../../../core/bounds.ts'
import { rejectUnknownOptions, type OptionKeys } from '../../../core/option-keys.ts'
import type { Entry } from './entry.ts'
import type { CacheStore, CacheStoreLookup } from './store.ts'
import { createChanges, shortName } from './changes.ts'
import { stringBytes } from './memory-size.ts'

/** Options of `createMemoryStore`. */
export interface MemoryStoreOptions {
  /**
   * Limit on the memory of all entries, in bytes. The least recently used entries are removed first.
   * @default 32 MiB
   */
  readonly maxBytes?: number
  /** Limit on the memory of one entry, in bytes. A larger entry is not stored. @default an eighth of `maxBytes` */
  readonly maxEntryBytes?: number
}

const memoryStoreOptions: OptionKeys<MemoryStoreOptions> = { maxBytes: true, maxEntryBytes: true }

/** Bytes of an entry in the two indexes: a place in each Map, of which one in two is free, and what `get` returns. */
const placeBytes = 2 * 48 + 56

/** An entry in its place. `get` returns this object, so that a hit allocates nothing. */
interface Kept extends CacheStoreLookup {
  readonly entry: Entry
  readonly generation: string
  /** The name of its URI. */
  readonly name: string
  /** The bytes that it holds with its place. */
  readonly bytes: number
}

/**
 * Creates a store that keeps answers in the memory of this process, for several upstreams or runtimes to share. The
 * memory is counted within a few percent.
 *
 * @param options The limits of the store.
 * @returns The store, for `cacheStore` of a runtime.
 * @throws `TypeError` for an unknown option, and for a limit that is not a positive integer.
 * @example
 * ```ts
 * import { createMemoryStore, createRuntime } from 'headwaters'
 *
 * const runtime = createRuntime({ cacheStore: createMemoryStore({ maxBytes: 256 * 1024 * 1024 }) })
 * ```
 */
export function createMemoryStore(options: MemoryStoreOptions = {}): CacheStore {
  rejectUnknownOptions('createMemoryStore', options, memoryStoreOptions)
  const { maxBytes = 32 * 1024 * 1024, maxEntryBytes = Math.ceil(maxBytes / 8) } = options
  wholeNumber('createMemoryStore', 'maxBytes', maxBytes)
  wholeNumber('createMemoryStore', 'maxEntryBytes', maxEntryBytes)
  /** By key, in the order of use: what was used last is last. */
  const kept = new Map<string, Kept>()
  /** The keys of each URI. Most URIs have one. */
  const keysOf = new Map<string, string | Set<string>>()
  /** The invalidations, for the answers that are in flight. */
  const changes = createChanges()
  /** The number of invalidations so far. As a text it is the generation of what is requested now. */
  let now = 0
  let nothing: CacheStoreLookup = { entry: undefined, generation: '0' }
  let total = 0

  function drop(key: string): void {
    const old = kept.get(key)
    if (old === undefined) return
    kept.delete(key)
    total -= old.bytes
    const keys = keysOf.get(old.name)
    if (typeof keys === 'object' && keys.size > 1) keys.delete(key)
    else keysOf.delete(old.name)
  }

  function index(name: string, key: string): void {
    const keys = keysOf.get(name)
    if (keys === undefined) keysOf.set(name, key)
    else if (typeof keys === 'string') keysOf.set(name, new Set([keys, key]))
    else keys.add(key)
  }

  return {
    storage: 'values',
    get(key) {
      const found = kept.get(key)
      if (found === undefined) return nothing
      kept.delete(key)
      kept.set(key, found)
      return found
    },
    set(key, uri, entry) {
      const { generation } = entry
      const requestedAt = Number(generation)
      // Invalid already, or of a generation that this store has not given: NaN, or a number that is still to come.
      if (!(requestedAt <= now) || changes.since(uri, requestedAt)) return
      drop(key)
      const name = shortName(uri)
      const bytes = entry.bytes + stringBytes(key) + stringBytes(name) + placeBytes
      if (bytes > maxEntryBytes) return
      kept.set(key, { entry, generation, name, bytes })
      index(name, key)
      total += bytes
      for (const oldest of kept.keys()) {
        if (total <= maxBytes) break
        drop(oldest)
      }
    },
    delete: drop,
    invalidate(uri) {
      changes.note(uri, now++)
      nothing = { entry: undefined, generation: String(now) }
      const keys = keysOf.get(shortName(uri))
      if (typeof keys === 'string') drop(keys)
      else if (keys !== undefined) for (const key of keys) drop(key)
    },
    get size() {
      return { entries: kept.size, bytes: total }
    },
  }
}
