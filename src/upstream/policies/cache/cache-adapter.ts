import type { LiveCall } from '../../call/live-call.ts'
import { deepFreeze } from '../../../core/freeze.ts'
import { runSliced } from '../../../core/sliced.ts'
import { createTimerQueue } from '../../../core/timer-queue.ts'
import { retentionMs, type Entry, type Lookup, type LookupResult, type Miss } from './entry.ts'
import { KeptEntry } from './kept-entry.ts'
import { PendingLookup } from './pending-lookup.ts'
import { PendingWrites } from './pending-writes.ts'
import { readEntry, valueOf } from './body-entry.ts'
import { getTimeoutOf, storedName, type CacheStore, type CacheStoreFault, type CacheStoreLookup } from './store.ts'
import { promiseOf } from '../../../core/promises.ts'

/** Called with each fault of a store: the function that failed, and the cause. */
export type ReportFault = (failed: CacheStoreFault['function'], cause: unknown) => void

/**
 * A store with the guarantees that calls need: it fails no call, delays a call for at most `getTimeout`, and returns
 * only valid entries.
 */
export interface CacheAdapter {
  readonly storage: CacheStore['storage']
  /** Returns the lookup at once if the store does. The promise rejects only with the abort reason of the call. */
  find(key: string, uri: string, call: LiveCall<unknown>): Lookup | Promise<Lookup>
  store(key: string, uri: string, found: LookupResult): void
  forget(key: string, uri: string): void
  /** Stops all timers. */
  close(): void
}

/**
 * Bodies from this size on are read in a later turn of the event loop: in bytes, or in characters for a store of
 * `bodies`.
 */
const largeBytes = 128 * 1024

/** The lookup if the store has failed. */
const unknown: Miss = { entry: undefined, generation: null }

/** The lookup if the store has nothing for a key and its URI. The store may return `undefined` instead. */
const empty: CacheStoreLookup = { entry: undefined, generation: undefined }

/** Creates the adapter of a store. */
export function createCacheAdapter(store: CacheStore, report: ReportFault): CacheAdapter {
  const timeout = createTimerQueue(getTimeoutOf(store), () => PendingLookup.late)
  /** Entries that could not be read. Later readers of the same entry object find nothing. */
  const unreadable = new WeakSet<object>()
  const writes = new PendingWrites(timeout, cause => report('set', cause))

  /** Reads the entry that a store returned for a key. */
  function open(found: CacheStoreLookup, key: string, uri: string, { spec, key: batchKey }: LiveCall<unknown>): Lookup {
    const { entry: stored, generation } = found
    if (stored === undefined || stored === null) return { entry: undefined, generation }
    let cause: unknown
    try {
      if (store.storage === 'values') {
        if (KeptEntry.is(stored)) {
          if (stored.generation !== generation) return { entry: undefined, generation }
          return { entry: stored, value: stored.read(spec, batchKey) }
        }
      } else {
        const entry = readEntry(stored, storedName(store, key))
        if (entry !== undefined) {
          if (entry.generation !== generation) return { entry: undefined, generation }
          return { entry, value: deepFreeze(valueOf(spec, entry, batchKey)) }
        }
      }
      cause = new TypeError('the store returned a value that is not an entry of this key')
    } catch (error) {
      // The entry was stored with another version of the schema, or is damaged. It is removed.
      unreadable.add(stored)
      cause = error
    }
    report('get', cause)
    adapter.forget(key, uri)
    return { entry: undefined, generation }
  }

  /**
   * Reads a lookup like `open`. A large entry is read in a later turn of the event loop, because it would block other
   * work.
   *
   * An entry that is being written is as valid as a stored one: while its generation is the generation of its URI, or
   * the URI has no generation yet.
   */
  function openInTurn(
    found: unknown,
    pending: LookupResult | undefined,
    key: string,
    uri: string,
    call: LiveCall<unknown>,
  ): Lookup | Promise<Lookup> {
    const lookup = checkedLookup(found)
    if (lookup === undefined) {
      report('get', new TypeError('the store returned a value that is not a lookup: return { entry, generation }'))
      return unknown
    }
    if (pending !== undefined && (lookup.generation ?? pending.entry.generation) === pending.entry.generation)
      return pending
    if (!isLarge(lookup.entry)) return open(lookup, key, uri, call)
    const { entry, generation } = lookup
    return new Promise((resolve, reject) =>
      runSliced(() => {
        if (call.abort.aborted) reject(call.abort.reason)
        // Another entry may have the same key by now. It must not be removed together with this one.
        else resolve(unreadable.has(entry) ? { entry: undefined, generation } : open(lookup, key, uri, call))
      }),
    )
  }

  const adapter: CacheAdapter = {
    storage: store.storage,
    find(key, uri, call) {
      const pending = writes.get(key)
      let found
      let later
      try {
        found = store.get(storedName(store, key), storedName(store, uri))
        later = promiseOf(found)
      } catch (error) {
        report('get', error)
        return unknown
      }
      if (later === undefined) return openInTurn(found, pending, key, uri, call)
      return new PendingLookup(call, timeout, later, cause => report('get', cause)).found.then(stored =>
        stored === PendingLookup.failed ? unknown : openInTurn(stored, pending, key, uri, call),
      )
    },
    store(key, uri, found) {
      const { entry } = found
      const name = storedName(store, key)
      try {
        const stored = store.storage === 'values' ? entry : { ...entry, key: name }
        writes.add(key, found, promiseOf(store.set(name, storedName(store, uri), stored, retentionMs(entry))))
      } catch (error) {
        report('set', error)
      }
    },
    forget(key, uri) {
      writes.forget(key)
      const failed = (cause: unknown) => report('delete', cause)
      try {
        promiseOf(store.delete(storedName(store, key), storedName(store, uri)))?.then(undefined, failed)
      } catch (error) {
        failed(error)
      }
    },
    close() {
      writes.close()
    },
  }
  return adapter
}

/**
 * Returns the result of a store if it is a lookup. `undefined` and `null` count as an empty lookup. It never throws.
 */
function checkedLookup(found: unknown): CacheStoreLookup | undefined {
  if (found === undefined || found === null) return empty
  try {
    const { entry, generation } = found as CacheStoreLookup
    if (
      typeof found !== 'object' ||
      Array.isArray(found) ||
      (generation !== undefined && typeof generation !== 'string')
    )
      return undefined
    // An entry in place of a lookup has no field `entry`. It would be a miss each time, without a fault.
    if (entry === undefined && 'requestedAt' in found) return undefined
    // A getter may throw, or return another value at the next read.
    return KeptEntry.is(entry) ? found : { entry, generation }
  } catch {
    return undefined
  }
}

/** Returns whether an entry is large, so that reading it would block the event loop. It never throws. */
function isLarge(stored: unknown): stored is object {
  if (KeptEntry.is(stored)) return stored.unread >= largeBytes
  try {
    const body = (stored as Partial<Entry> | undefined | null)?.body
    return typeof body === 'string' && body.length >= largeBytes
  } catch {
    return false
  }
}
