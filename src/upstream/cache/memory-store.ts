import { wholeNumber } from '../bounds.ts'
import type { Entry } from './entry.ts'
import type { CacheStore } from './store.ts'

export interface MemoryStoreOptions {
  /** What all entries together may have; those that were not used for longest go first. @default 32 MiB */
  readonly maxBytes?: number
  /** What one entry may have; a larger one is not kept. @default an eighth of `maxBytes` */
  readonly maxEntryBytes?: number
}

interface Kept {
  readonly entry: Entry
  readonly bytes: number
}

/** What an entry has beside its body and its key, about. */
const overhead = 512

/** Keeps answers in this process, for as long as it lives. Counted are the bytes that came; the values made of them may take several times as much. */
export function createMemoryStore ({ maxBytes = 32 * 1024 * 1024, maxEntryBytes = Math.ceil(maxBytes / 8) }: MemoryStoreOptions = {}): CacheStore {
  wholeNumber('createMemoryStore', 'maxBytes', maxBytes)
  wholeNumber('createMemoryStore', 'maxEntryBytes', maxEntryBytes)
  /** In the order of use: what was used last is last. */
  const kept = new Map<string, Kept>()
  let total = 0

  function drop (key: string): void {
    const old = kept.get(key)
    if (old === undefined) return
    kept.delete(key)
    total -= old.bytes
  }

  return {
    keeps: 'values',
    get (key) {
      const found = kept.get(key)
      if (found === undefined) return undefined
      kept.delete(key)
      kept.set(key, found)
      return found.entry
    },
    set (key, entry) {
      drop(key)
      const bytes = entry.bytes + key.length + overhead
      if (bytes > maxEntryBytes) return
      kept.set(key, { entry, bytes })
      total += bytes
      for (const oldest of kept.keys()) {
        if (total <= maxBytes) break
        drop(oldest)
      }
    },
    delete: drop,
    get size () { return { entries: kept.size, bytes: total } },
  }
}
