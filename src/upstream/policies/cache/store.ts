import { hash } from 'node:crypto'
import { wholeNumber } from '../../../core/bounds.ts'
import { rejectRenamedOptions } from '../../../core/option-keys.ts'
import { cacheStoreRenames } from '../../spec/renamed.ts'
import type { Entry } from './entry.ts'

/** The result of `get`: the entry of a key and the generation of its URI. Both are optional. */
export interface CacheStoreLookup {
  /** The entry of the key. */
  readonly entry?: Entry | undefined
  /** The generation of the URI, read together with the entry. */
  readonly generation?: string | undefined
}

/**
 * A store for the answers of a cache. Each function may return its result or a promise. A store never fails a call.
 *
 * A function that throws or rejects is reported as a fault. A promise of `get`, `set` or `invalidate` that takes longer
 * than `getTimeout` is a fault too. A failed or late `get` also counts as a miss: the upstream answers the call, and
 * that answer is not stored. An invalid entry from `get` is a fault and a miss: the entry is removed, and the answer of
 * the upstream can be stored. After a fault of `invalidate`, the earlier entries of the URI stay invalid in this
 * runtime.
 *
 * Each URI has a generation. An entry records the generation of its URI at the time of the request. The entry is valid
 * only while the URI still has that generation. So `invalidate` ends all entries of a URI without a list of their keys,
 * and also the answers that were requested before it and are stored after it.
 *
 * If the store loses the generation of a URI, the entries of that URI become invalid. An answer that is in flight at
 * that time can make old entries valid again. Keep a generation longer than the longest call and longer than the
 * entries of its URI.
 *
 * With `storage: 'values'`, keys and URIs have any length. With `storage: 'bodies'`, they are hashes of 43 characters.
 *
 * @example
 * ```ts
 * import { createRuntime, type CacheEntry, type CacheStore } from 'headwaters'
 *
 * const entries = new Map<string, CacheEntry>()
 * const generations = new Map<string, string>()
 * const cacheStore: CacheStore = {
 *   storage: 'bodies',
 *   get: (key, uri) => ({ entry: entries.get(key), generation: generations.get(uri) }),
 *   set(key, uri, entry, retentionMs) {
 *     if (!generations.has(uri)) generations.set(uri, entry.generation)
 *     entries.set(key, entry)
 *     setTimeout(() => entries.delete(key), Math.min(retentionMs, 86_400_000)).unref()
 *   },
 *   delete: key => entries.delete(key),
 *   invalidate: uri => generations.set(uri, crypto.randomUUID()),
 * }
 * const runtime = createRuntime({ cacheStore })
 * ```
 */
export interface CacheStore {
  /**
   * The form of the entries. `values`: entries are objects of this process, and `get` must return the same object that
   * `set` received. `bodies`: entries are plain JSON, for a store outside of the process. Each entry that `get` returns
   * is checked, and the schema of the operation parses its body again.
   */
  readonly storage: 'values' | 'bodies'
  /**
   * The time that a call waits for `get`, and an unsafe call for `invalidate`, in ms. A slower promise of `set` is a
   * fault too, but no call waits for it.
   * @default 100
   */
  readonly getTimeout?: number
  /**
   * Returns the entry of a key and the generation of its URI.
   *
   * @param key The key of the entry.
   * @param uri The URI of the entry.
   * @returns The entry and the generation, read together. `undefined` means that the store has neither.
   */
  get(key: string, uri: string): CacheStoreLookup | undefined | Promise<CacheStoreLookup | undefined>
  /**
   * Stores an entry and replaces the previous entry of its key. If the URI has no generation, the store must give it
   * the generation of the entry.
   *
   * @param key The key of the entry.
   * @param uri The URI of the entry.
   * @param entry The entry.
   * @param retentionMs The time in ms after which the store may remove the entry.
   * @returns Any value. A promise that rejects or takes longer than `getTimeout` is reported as a fault.
   */
  set(key: string, uri: string, entry: Entry, retentionMs: number): unknown
  /**
   * Removes the entry of a key.
   *
   * @param key The key of the entry.
   * @param uri The URI of the entry.
   * @returns Any value. A promise that rejects is reported as a fault. It has no time limit.
   */
  delete(key: string, uri: string): unknown
  /**
   * Gives a URI a generation that it never had, for example a random one. All earlier entries of the URI become
   * invalid.
   *
   * @param uri The URI.
   * @returns Any value. An unsafe call waits for a promise, for at most `getTimeout`. A promise that rejects or takes
   *   longer is reported as a fault.
   */
  invalidate(uri: string): unknown
  /** The number of entries and their bytes, for `stats()`. @default not shown */
  readonly size?: { readonly entries: number; readonly bytes: number }
}

/** A fault of a cache store. It does not fail the call in which it occurred. */
export interface CacheStoreFault {
  /** The upstream whose call used the store. */
  readonly upstream: string
  /** The function that failed. It is `get` also if the entry that `get` returned is not valid. */
  readonly function: 'get' | 'set' | 'delete' | 'invalidate'
  /**
   * The error that the function threw, the reason of its rejection, or an error that describes a late or invalid
   * result.
   */
  readonly cause: unknown
}

/**
 * Checks a store that an option contains.
 *
 * @throws {TypeError} that names the part and the fix
 */
export function checkStore(owner: string, store: CacheStore): CacheStore {
  rejectRenamedOptions(owner, store, cacheStoreRenames, 'cacheStore')
  const { storage, getTimeout } = store
  if (storage !== 'values' && storage !== 'bodies')
    throw new TypeError(`${owner}: cacheStore.storage must be 'values' or 'bodies', got '${String(storage)}'`)
  for (const part of ['get', 'set', 'delete', 'invalidate'] as const) {
    if (typeof store[part] !== 'function') throw new TypeError(`${owner}: cacheStore.${part} must be a function`)
  }
  if (getTimeout !== undefined) wholeNumber(owner, 'cacheStore.getTimeout', getTimeout, { unit: 'ms' })
  return store
}

/**
 * Returns the name of a key or a URI in a store. For a store of `bodies` it is a hash, which contains no credentials.
 */
export function storedName({ storage }: CacheStore, name: string): string {
  return storage === 'values' ? name : hash('sha256', name, 'base64url')
}

/** The time for which a call waits for a store without `getTimeout`, in ms. */
const defaultGetTimeout = 100

/** Returns the time for which a call waits for a store, in ms. */
export function getTimeoutOf({ getTimeout = defaultGetTimeout }: CacheStore): number {
  return getTimeout
}

/** Returns the size of a store, or `undefined` if the store does not report one. */
export function sizeOf(store: CacheStore): CacheStore['size'] {
  try {
    const { entries, bytes } = store.size ?? {}
    return typeof entries === 'number' && typeof bytes === 'number' ? { entries, bytes } : undefined
  } catch {
    return undefined
  }
}
