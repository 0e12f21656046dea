import { hash } from 'node:crypto'
import { wholeNumber } from '../../../core/bounds.ts'
import { rejectRenamedOptions } from '../../../core/option-keys.ts'
import { cacheStoreRenames } from '../../spec/renamed.ts'
import type { Entry } from './entry.ts'

/** The result of `get`: the entry of a key and the generation of its URI. Both are optional. */
export interface CacheStoreLookup {
  /** The entry of the key. */
  readonly entry?: Entry | undefined
  /**
   * The generation of the URI, read together with the entry. `null`: the store is unavailable. This is a miss and not a
   * fault, and the answer of the upstream is not stored.
   */
  readonly generation?: string | null | undefined
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
   * @returns Any value. A promise that rejects or takes longer than `getTimeout` is reported as a fault. If a promise
   *   resolves with `false`, the entry was not stored, and other replicas do not wait for it.
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
  /** The leases with which replicas share a call, for `coalesce: 'replicas'`. @default no leases */
  readonly leases?: CacheLeases
  /** The number of entries and their bytes, for `stats()`. @default not shown */
  readonly size?: { readonly entries: number; readonly bytes: number }
}

/** The name of a lease. The lease of an earlier generation is another one, so no call waits for it. */
export interface CacheLeaseName {
  /** The key of the entry. */
  readonly key: string
  /** The URI of the entry. */
  readonly uri: string
  /** The generation of the URI, as `get` returned it. */
  readonly generation: string | undefined
}

/**
 * The state of a lease. `free`: no call has it. `taken`: a call of any process holds it. `unshared`: other calls could
 * not use the last answer, so calls send their requests at once and without a lease.
 */
export type CacheLeaseState = 'free' | 'taken' | 'unshared'

/** A lease that a call holds. */
export interface CacheLease {
  /**
   * True if the store had no entry of the key when it gave the lease, and the generation of the URI was that of the
   * lease. The call is then sent without another lookup.
   * @default false
   */
  readonly isEmpty?: boolean
  /**
   * Releases the lease if the call still holds it. It is called when the promise of the `set` that stores the answer
   * has settled. A second call has no effect.
   *
   * @param unsharedMs The time in ms for which the lease is `unshared` after its release. 0: it is free at once.
   * @returns Any value. A promise that rejects is reported as a fault.
   */
  release(unsharedMs: number): unknown
}

/**
 * Leases for the calls of several replicas. The holder of a lease sends the call, the others wait for its answer. If a
 * function throws, rejects or takes longer than `getTimeout`, this is a fault, and the call continues without a lease.
 * `undefined` has the same effect and is not a fault.
 */
export interface CacheLeases {
  /**
   * Takes a free lease, and renews it until it is released.
   *
   * @param name The name of the lease.
   * @param leaseMs The time after which the lease ends if it is not renewed, because its process has died, in ms.
   * @param maxMs The remaining time of the caller, in ms. The lease is not renewed after it.
   * @returns The lease, or the state because of which this call does not get it.
   */
  take(
    name: CacheLeaseName,
    leaseMs: number,
    maxMs: number,
  ): Promise<CacheLease | Exclude<CacheLeaseState, 'free'> | undefined>
  /**
   * Returns the state of a lease.
   *
   * @param name The name of the lease.
   * @returns The state, or `undefined` if the store is unavailable.
   */
  stateOf(name: CacheLeaseName): Promise<CacheLeaseState | undefined>
}

/** A fault of a cache store. It does not fail the call in which it occurred. */
export interface CacheStoreFault {
  /** The upstream whose call used the store. */
  readonly upstream: string
  /** The function that failed. It is `get` also if the entry that `get` returned is not valid. */
  readonly function: 'get' | 'set' | 'delete' | 'invalidate' | 'leases.take' | 'leases.stateOf' | 'leases.release'
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
  const { storage, getTimeout, leases } = store
  if (storage !== 'values' && storage !== 'bodies')
    throw new TypeError(`${owner}: cacheStore.storage must be 'values' or 'bodies', got '${String(storage)}'`)
  for (const part of ['get', 'set', 'delete', 'invalidate'] as const) {
    if (typeof store[part] !== 'function') throw new TypeError(`${owner}: cacheStore.${part} must be a function`)
  }
  if (leases !== undefined) {
    for (const part of ['take', 'stateOf'] as const)
      if (typeof (leases as CacheLeases | null)?.[part] !== 'function')
        throw new TypeError(`${owner}: cacheStore.leases.${part} must be a function`)
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
