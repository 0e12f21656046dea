import type { LiveCall } from '../../call/live-call.ts'
import { runSliced } from '../../../core/sliced.ts'
import { createTimerQueue } from '../../../core/timer-queue.ts'
import { retentionMs, type Entry, type Lookup, type LookupResult, type Miss } from './entry.ts'
import { KeptEntry } from './kept-entry.ts'
import { PendingLookup } from './pending-lookup.ts'
import { PendingWrites } from './pending-writes.ts'
import { BodyReader } from './body-reader.ts'
import type { Place } from './cache-key.ts'
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
  find(place: Place, call: LiveCall<unknown>): Lookup | Promise<Lookup>
  /** Returns the promise of the store, if it returns one. The promise may reject. */
  store(key: string, uri: string, found: LookupResult): Promise<unknown> | undefined
  forget(key: string, uri: string): void
  /** Stops all timers. */
  close(): void
}

/**
 * Bodies from this size on are read in a later turn of the event loop: in bytes, or in characters for a store of
 * `bodies`.
 */
const largeBytes = 128 * 1024

/** The lookup if the store has failed or is unavailable. */
const unknown: Miss = { entry: undefined, generation: null }

/** The lookup if the store has nothing for a key and its URI. The store may return `undefined` instead. */
const empty: CacheStoreLookup = { entry: undefined, generation: undefined }

/** Creates the adapter of a store. */
export function createCacheAdapter(store: CacheStore, report: ReportFault): CacheAdapter {
  const timeout = createTimerQueue(getTimeoutOf(store), () => PendingLookup.late)
  /** Entries that could not be read. Later readers of the same entry object find nothing. */
  const unreadable = new WeakSet<object>()
  const bodies = new BodyReader()
  const writes = new PendingWrites(timeout, cause => report('set', cause))

  /**
   * Reads the entry that a store returned for a place.
   *
   * @param name The name of the key in the store.
   */
  function open(found: CacheStoreLookup, { key, uri }: Place, name: string, call: LiveCall<unknown>): Lookup {
    const { entry: stored, generation } = found
    if (stored === undefined || stored === null) return { entry: undefined, generation }
    let cause: unknown
    try {
      if (store.storage === 'values') {
        if (KeptEntry.is(stored)) {
          if (stored.generation !== generation) return { entry: undefined, generation }
          return { entry: stored, value: stored.read(call.spec, call.key) }
        }
      } else {
        const read = bodies.read(stored, name, generation, call)
        if (read !== undefined) return read
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
    place: Place,
    name: string,
    call: LiveCall<unknown>,
  ): Lookup | Promise<Lookup> {
    const lookup = checkedLookup(found)
    if (lookup === undefined) {
      report('get', new TypeError('the store returned a value that is not a lookup: return { entry, generation }'))
      return unknown
    }
    if (lookup.generation === null) return unknown
    if (pending !== undefined && (lookup.generation ?? pending.entry.generation) === pending.entry.generation)
      return pending
    const { entry, generation } = lookup
    if (!isLarge(entry) || bodies.isRead(entry, name, call)) return open(lookup, place, name, call)
    return new Promise((resolve, reject) =>
      runSliced(() => {
        if (call.abort.aborted) reject(call.abort.reason)
        // Another entry may have the same key by now. It must not be removed together with this one.
        else resolve(unreadable.has(entry) ? { entry: undefined, generation } : open(lookup, place, name, call))
      }),
    )
  }

  const adapter: CacheAdapter = {
    storage: store.storage,
    find(place, call) {
      const pending = writes.get(place.key)
      const name = storedName(store, place.key)
      let found
      let later
      try {
        found = store.get(name, storedName(store, place.uri))
        later = promiseOf(found)
      } catch (error) {
        report('get', error)
        return unknown
      }
      if (later === undefined) return openInTurn(found, pending, place, name, call)
      return new PendingLookup(call, timeout, later, cause => report('get', cause)).found.then(stored =>
        stored === PendingLookup.failed ? unknown : openInTurn(stored, pending, place, name, call),
      )
    },
    store(key, uri, found) {
      const { entry } = found
      const name = storedName(store, key)
      try {
        const stored = store.storage === 'values' ? entry : { ...entry, key: name }
        const done = promiseOf(store.set(name, storedName(store, uri), stored, retentionMs(entry)))
        writes.add(key, found, done)
        return done
      } catch (error) {
        report('set', error)
        return undefined
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
      (generation !== undefined && generation !== null && typeof generation !== 'string')
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
