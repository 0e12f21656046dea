import { wholeNumber } from '../../../core/bounds.ts'
import type { Entry } from './entry.ts'
import type { CacheStore } from './store.ts'
import { createChanges } from './changes.ts'
import { stringBytes } from './memory-size.ts'

/** Options of `createMemoryStore`. */
export interface MemoryStoreOptions {
  /**
   * Bytes of memory that all entries together may hold; those that were not used for longest go first.
   * @default 32 MiB
   */
  readonly maxBytes?: number
  /** Bytes of memory that one entry may hold; a larger one is not kept. @default an eighth of `maxBytes` */
  readonly maxEntryBytes?: number
}

/** Bytes of a place in a Map, of which one in two is free after it has grown. */
const placeBytes = 48

/**
 * Creates a store that keeps answers in the memory of this process, for several upstreams or runtimes to share. The
 * memory is counted within a few percent.
 *
 * @param options The limits of the store.
 * @returns The store, for `cacheStore` of a runtime.
 * @throws `TypeError` for a limit that is not a positive integer.
 * @example
 * ```ts
 * import { createMemoryStore, createRuntime } from 'headwaters'
 *
 * const runtime = createRuntime({ cacheStore: createMemoryStore({ maxBytes: 256 * 1024 * 1024 }) })
 * ```
 */
export function createMemoryStore({
  maxBytes = 32 * 1024 * 1024,
  maxEntryBytes = Math.ceil(maxBytes / 8),
}: MemoryStoreOptions = {}): CacheStore {
  wholeNumber('createMemoryStore', 'maxBytes', maxBytes)
  wholeNumber('createMemoryStore', 'maxEntryBytes', maxEntryBytes)
  /** In the order of use: what was used last is last. */
  const kept = new Map<string, Entry>()
  const changes = createChanges()
  /** The generation of what is requested now: the number of invalidations so far. */
  let now = 0
  let total = 0

  const bytesOf = (key: string, entry: Entry) => entry.bytes + stringBytes(key) + placeBytes

  function drop(key: string): void {
    const old = kept.get(key)
    if (old === undefined) return
    kept.delete(key)
    total -= bytesOf(key, old)
  }

  return {
    storage: 'values',
    get(key, uri) {
      const found = kept.get(key)
      if (found === undefined) return { generation: String(now) }
      if (changes.since(uri, Number(found.generation))) {
        drop(key)
        return { generation: String(now) }
      }
      kept.delete(key)
      kept.set(key, found)
      return { entry: found, generation: found.generation }
    },
    set(key, _uri, entry) {
      drop(key)
      const bytes = bytesOf(key, entry)
      if (bytes > maxEntryBytes) return
      kept.set(key, entry)
      total += bytes
      for (const oldest of kept.keys()) {
        if (total <= maxBytes) break
        drop(oldest)
      }
    },
    delete: drop,
    invalidate: uri => changes.note(uri, now++),
    get size() {
      return { entries: kept.size, bytes: total }
    },
  }
}
