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

/** The bytes of an entry in the two indexes: its slot in each Map, of which half are free, and the result of `get`. */
const placeBytes = 2 * 48 + 56

/** An entry in the index. `get` returns this object, so that a hit allocates nothing. */
interface Kept extends CacheStoreLookup {
  readonly entry: Entry
  readonly generation: string
  /** The URI, or its hash if it is long. */
  readonly name: string
  /** The bytes of the entry with its slots in the indexes. */
  readonly bytes: number
}

/**
 * Creates a store that keeps answers in the memory of this process. Several upstreams or runtimes can share it. Its
 * memory is counted to within a few percent.
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
  /** The entries by key. The entry that was used last is last. */
  const kept = new Map<string, Kept>()
  /** The keys of each URI. Most URIs have one key. */
  const keysOf = new Map<string, string | Set<string>>()
  /** The invalidations, which also make answers in flight invalid. */
  const changes = createChanges()
  /** The number of invalidations so far. As a string it is the generation of an answer that is requested now. */
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
      // The entry is already invalid, or its generation is not from this store: NaN, or a number in the future.
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
