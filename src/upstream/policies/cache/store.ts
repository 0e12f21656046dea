import { wholeNumber } from '../../../core/bounds.ts'
import type { Entry } from './entry.ts'

/**
 * Where a cache keeps answers. Each of its functions may answer at once or by a promise; one that throws, rejects or is
 * late counts as a miss and fails no call. Keys are of any length in a store of values, and 43 letters in a store of
 * bodies.
 */
export interface CacheStore {
  /**
   * `values`: entries are objects that stay in this process, and `get` returns the very object that `set` was given;
   * their `bytes` are the memory that they hold. `bodies`: entries are plain JSON and may go anywhere; what comes back
   * is checked, and its body is read by the operation's schema again, so that no older version of it is believed.
   */
  readonly keeps: 'values' | 'bodies'
  /** How long a call waits for `get`, in ms. @default 100 */
  readonly patience?: number
  get(key: string): Entry | undefined | Promise<Entry | undefined>
  /** Keeps an entry in place of the one before; after `usefulMs` it is of no more use. */
  set(key: string, entry: Entry, usefulMs: number): unknown
  delete(key: string): unknown
  /** What it holds, where it knows. */
  readonly size?: { readonly entries: number; readonly bytes: number }
}

/**
 * Checks a store that is given from outside.
 *
 * @throws {TypeError} that names the part and the fix
 */
export function checkStore(owner: string, store: CacheStore): CacheStore {
  const { keeps, patience } = store
  if (keeps !== 'values' && keeps !== 'bodies')
    throw new TypeError(`${owner}: cacheStore.keeps is '${String(keeps)}', and must be 'values' or 'bodies'`)
  for (const part of ['get', 'set', 'delete'] as const) {
    if (typeof store[part] !== 'function') throw new TypeError(`${owner}: cacheStore.${part} must be a function`)
  }
  if (patience !== undefined) wholeNumber(owner, 'cacheStore.patience', patience, { unit: 'ms' })
  return store
}

/** Returns what a store says that it holds, and nothing where it cannot say. */
export function sizeOf(store: CacheStore): CacheStore['size'] {
  try {
    const { entries, bytes } = store.size ?? {}
    return typeof entries === 'number' && typeof bytes === 'number' ? { entries, bytes } : undefined
  } catch {
    return undefined
  }
}
