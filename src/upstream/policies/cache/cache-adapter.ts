import { hash } from 'node:crypto'
import type { LiveCall } from '../../call/call.ts'
import { deepFreeze } from '../../../core/freeze.ts'
import { runSliced } from '../../../core/sliced.ts'
import { createTimerQueue } from '../../../core/timer-queue.ts'
import { usefulMs, type Entry, type LookupResult } from './entry.ts'
import { KeptEntry } from './kept-entry.ts'
import { Lookup } from './lookup.ts'
import { PendingWrites } from './pending-writes.ts'
import { readEntry, valueOf } from './body-entry.ts'
import type { CacheStore } from './store.ts'

/**
 * A store with the guarantees that calls need: it fails no call, delays none for long, and returns valid entries only.
 */
export interface CacheAdapter {
  readonly keeps: CacheStore['keeps']
  /** At once where the store answers at once. Rejects only with why the call was given up. */
  find(key: string, call: LiveCall<unknown>): LookupResult | undefined | Promise<LookupResult | undefined>
  store(key: string, found: LookupResult): void
  forget(key: string): void
  /** Leaves no timer behind. */
  close(): void
  /** How often the store threw, rejected, was late, or gave back something that is no entry. */
  readonly faults: number
}

/**
 * Bodies from this length on are read in a turn of their own, in bytes or, where they come from elsewhere, in
 * characters.
 */
const largeBytes = 128 * 1024

/** Makes the adapter of a store. */
export function createCacheAdapter(store: CacheStore): CacheAdapter {
  const patience = createTimerQueue(store.patience ?? 100, () => Lookup.late)
  /** Entries of this process that could not be read: those who wait to read them find nothing. */
  const unreadable = new WeakSet<object>()
  let faults = 0

  const nameOf = (key: string) => (store.keeps === 'values' ? key : hash('sha256', key, 'base64url'))
  const fault = () => {
    faults++
  }
  const writes = new PendingWrites(patience, fault)

  /** Reads what a store gave back. */
  function open(stored: unknown, key: string, { spec }: LiveCall<unknown>): LookupResult | undefined {
    if (stored === undefined || stored === null) return undefined
    try {
      if (store.keeps === 'values') {
        if (KeptEntry.is(stored)) return { entry: stored, value: stored.read(spec) }
      } else {
        const entry = readEntry(stored)
        if (entry !== undefined) return { entry, value: deepFreeze(valueOf(spec, entry)) }
      }
    } catch {
      // Kept under a schema that was another then, or damaged: it goes.
      unreadable.add(stored)
    }
    fault()
    adapter.forget(key)
    return undefined
  }

  /** The same, later where there is much to read: what is large would hold up everything else. */
  function openInTurn(
    stored: unknown,
    key: string,
    call: LiveCall<unknown>,
  ): LookupResult | undefined | Promise<LookupResult | undefined> {
    if (!isLarge(stored)) return open(stored, key, call)
    return new Promise((resolve, reject) =>
      runSliced(() => {
        if (call.abort.aborted) reject(call.abort.reason)
        // Its place may have another entry by now, which is not dropped with it.
        else resolve(unreadable.has(stored) ? undefined : open(stored, key, call))
      }),
    )
  }

  const adapter: CacheAdapter = {
    keeps: store.keeps,
    find(key, call) {
      const pending = writes.get(key)
      if (pending !== undefined) return pending.found
      let found
      let later
      try {
        found = store.get(nameOf(key))
        later = promiseOf(found)
      } catch {
        fault()
        return undefined
      }
      if (later === undefined) return openInTurn(found, key, call)
      return new Lookup(call, patience, later, fault).found.then(stored => openInTurn(stored, key, call))
    },
    store(key, found) {
      const { entry } = found
      try {
        writes.add(key, found, promiseOf(store.set(nameOf(key), entry, usefulMs(entry))))
      } catch {
        fault()
      }
    },
    forget(key) {
      writes.forget(key)
      try {
        promiseOf(store.delete(nameOf(key)))?.then(undefined, fault)
      } catch {
        fault()
      }
    },
    close() {
      writes.close()
    },
    get faults() {
      return faults
    },
  }
  return adapter
}

/**
 * Returns a promise of a value that is one, also of another make. Throws what the value throws when it is looked at.
 */
function promiseOf(value: unknown): Promise<unknown> | undefined {
  return typeof (value as { readonly then?: unknown } | undefined | null)?.then === 'function'
    ? Promise.resolve(value)
    : undefined
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
