import { hash } from 'node:crypto'
import { wholeNumber } from '../../../core/bounds.ts'
import { rejectRenamedOptions } from '../../../core/option-keys.ts'
import { cacheStoreRenames } from '../../spec/renamed.ts'
import type { Entry } from './entry.ts'

/** The result of a store for a key. */
export interface CacheStoreLookup {
  /** The entry under the key. */
  readonly entry?: Entry | undefined
  /** The generation of the URI, read together with the entry. */
  readonly generation?: string | undefined
}

/**
 * A place where a cache stores answers. Each of its functions may return at once or return a promise. One that throws,
 * rejects or is late counts as a miss and fails no call. The answer of such a miss is not stored.
 *
 * Each URI has a generation. An entry has the generation that its URI had when the answer was requested, and is valid
 * while that is still the generation of the URI. So `invalidate` ends all entries of a URI without a list of their
 * keys, and an answer that was requested before is not valid when it is stored later. A generation that is lost makes
 * the entries of its URI invalid, and an answer that was in flight then may make old ones valid again: keep it longer
 * than the longest call and than the entries of its URI.
 *
 * Keys and URIs are of any length in a store of values, and 43 characters in a store of bodies.
 */
export interface CacheStore {
  /**
   * `values`: entries are objects that stay in this process, and `get` returns the very object that `set` was given;
   * their `bytes` are the memory that they hold. `bodies`: entries are plain JSON and may go anywhere; what comes back
   * is checked, and its body is read by the operation's schema again, so that no older version of it is believed.
   */
  readonly storage: 'values' | 'bodies'
  /** The longest time that a call waits for `get`, and an unsafe call for `invalidate`, in ms. @default 100 */
  readonly getTimeout?: number
  /** Returns the entry of a key, and the generation of its URI. */
  get(key: string, uri: string): CacheStoreLookup | undefined | Promise<CacheStoreLookup | undefined>
  /**
   * Stores an entry in place of the one before. A URI without a generation gets that of the entry. The entry has no use
   * after `retentionMs`.
   */
  set(key: string, uri: string, entry: Entry, retentionMs: number): unknown
  /** Removes the entry of a key. */
  delete(key: string, uri: string): unknown
  /** Gives a URI a generation that it never had, for example a random one. */
  invalidate(uri: string): unknown
  /** The size of the store, if it knows it. */
  readonly size?: { readonly entries: number; readonly bytes: number }
}

/** A fault of a store. It has failed no call. */
export interface CacheStoreFault {
  /** The upstream whose call used the store. */
  readonly upstream: string
  /** The function that failed; `get` also where what it returned cannot be used. */
  readonly function: 'get' | 'set' | 'delete' | 'invalidate'
  readonly cause: unknown
}

/**
 * Checks a store that is given from outside.
 *
 * @throws {TypeError} that names the part and the fix
 */
export function checkStore(owner: string, store: CacheStore): CacheStore {
  rejectRenamedOptions(owner, store, cacheStoreRenames, 'cacheStore')
  const { storage, getTimeout } = store
  if (storage !== 'values' && storage !== 'bodies')
    throw new TypeError(`${owner}: cacheStore.storage is '${String(storage)}', and must be 'values' or 'bodies'`)
  for (const part of ['get', 'set', 'delete', 'invalidate'] as const) {
    if (typeof store[part] !== 'function') throw new TypeError(`${owner}: cacheStore.${part} must be a function`)
  }
  if (getTimeout !== undefined) wholeNumber(owner, 'cacheStore.getTimeout', getTimeout, { unit: 'ms' })
  return store
}

/** Returns a key or a URI as a store has it: by its hash in a store of bodies, since it may hold credentials. */
export function storedName({ storage }: CacheStore, name: string): string {
  return storage === 'values' ? name : hash('sha256', name, 'base64url')
}

/** Time for which a call waits for a store without a `getTimeout`, in ms. */
const defaultGetTimeout = 100

/** Returns how long a call waits for a store, in ms. */
export function getTimeoutOf({ getTimeout = defaultGetTimeout }: CacheStore): number {
  return getTimeout
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
