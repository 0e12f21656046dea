import type { LiveCall } from '../../call/call.ts'
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

/** Called with each fault of a store: the function that failed, and why. */
export type ReportFault = (failed: CacheStoreFault['function'], cause: unknown) => void

/**
 * A store with the guarantees that calls need: it fails no call, delays none for long, and returns valid entries only.
 */
export interface CacheAdapter {
  readonly storage: CacheStore['storage']
  /** At once where the store answers at once. Rejects only with why the call was given up. */
  find(key: string, uri: string, call: LiveCall<unknown>): Lookup | Promise<Lookup>
  store(key: string, uri: string, found: LookupResult): void
  forget(key: string, uri: string): void
  /** Leaves no timer behind. */
  close(): void
}

/**
 * Bodies from this length on are read in a turn of their own, in bytes or, where they come from elsewhere, in
 * characters.
 */
const largeBytes = 128 * 1024

/** A lookup in which the store has failed. */
const unknown: Miss = { entry: undefined, generation: null }

/** The lookup of a store that has nothing for a key and its URI. The store may return `undefined` for it. */
const empty: CacheStoreLookup = { entry: undefined, generation: undefined }

/** Makes the adapter of a store. */
export function createCacheAdapter(store: CacheStore, report: ReportFault): CacheAdapter {
  const timeout = createTimerQueue(getTimeoutOf(store), () => PendingLookup.late)
  /** Entries of this process that could not be read: those who wait to read them find nothing. */
  const unreadable = new WeakSet<object>()
  const writes = new PendingWrites(timeout, cause => report('set', cause))

  /** Reads what a store returned for a key. */
  function open(found: CacheStoreLookup, key: string, uri: string, { spec }: LiveCall<unknown>): Lookup {
    const { entry: stored, generation } = found
    if (stored === undefined || stored === null) return { entry: undefined, generation }
    let cause: unknown
    try {
      if (store.storage === 'values') {
        if (KeptEntry.is(stored)) {
          if (stored.generation !== generation) return { entry: undefined, generation }
          return { entry: stored, value: stored.read(spec) }
        }
      } else {
        const entry = readEntry(stored, storedName(store, key))
        if (entry !== undefined) {
          if (entry.generation !== generation) return { entry: undefined, generation }
          return { entry, value: deepFreeze(valueOf(spec, entry)) }
        }
      }
      cause = new TypeError('what the store returned is not an entry of this key')
    } catch (error) {
      // Kept under a schema that was another then, or damaged: it goes.
      unreadable.add(stored)
      cause = error
    }
    report('get', cause)
    adapter.forget(key, uri)
    return { entry: undefined, generation }
  }

  /**
   * The same, later where there is much to read: what is large would hold up everything else. An entry that is being
   * written is valid as one that is stored: while its generation is that of its URI, or the URI has none yet.
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
      report('get', new TypeError('what the store returned is not a lookup: return { entry, generation }'))
      return unknown
    }
    if (pending !== undefined && (lookup.generation ?? pending.entry.generation) === pending.entry.generation)
      return pending
    if (!isLarge(lookup.entry)) return open(lookup, key, uri, call)
    const { entry, generation } = lookup
    return new Promise((resolve, reject) =>
      runSliced(() => {
        if (call.abort.aborted) reject(call.abort.reason)
        // Its place may have another entry by now, which is not dropped with it.
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

/** Returns what a store returned if it is a lookup; nothing stored is one too. It never throws. */
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
    // A bare entry has no entry in it: it would be a miss each time.
    if (entry === undefined && 'requestedAt' in found) return undefined
    // A getter may throw, and return another value the next time.
    return KeptEntry.is(entry) ? found : { entry, generation }
  } catch {
    return undefined
  }
}

/**
 * Returns whether what a store gave back has so much to read that it would hold up everything else; reading it never
 * throws.
 */
function isLarge(stored: unknown): stored is object {
  if (KeptEntry.is(stored)) return stored.unread >= largeBytes
  try {
    const body = (stored as Partial<Entry> | undefined | null)?.body
    return typeof body === 'string' && body.length >= largeBytes
  } catch {
    return false
  }
}
