import { hash } from 'node:crypto'
import { Abort } from '../abort.ts'
import type { LiveCall } from '../call.ts'
import { deepFreeze } from '../freeze.ts'
import { timeouts } from '../timeouts.ts'
import { usefulMs, type Entry } from './entry.ts'
import { Lookup } from './lookup.ts'
import { readEntry } from './read-entry.ts'
import { valueOf } from './value-of.ts'
import type { CacheStore } from './store.ts'

/** A store as a call may use it: it fails no call, holds none up for long, and gives back only what can be used. */
export interface Shelf {
  readonly keeps: CacheStore['keeps']
  /** At once where the store answers at once. Rejects only with why the call was given up. */
  find (key: string, call: LiveCall<unknown>): Entry | undefined | Promise<Entry | undefined>
  keep (key: string, entry: Entry): void
  forget (key: string): void
  /** Leaves no timer behind. */
  close (): void
  /** How often the store threw, rejected, was late, or gave back something that is no entry. */
  readonly faults: number
}

/** Puts a store where calls can use it. */
export function createShelf (store: CacheStore): Shelf {
  const patience = timeouts(store.patience ?? 100, () => Lookup.late)
  /** What is being written: it is found before the store has it. */
  const writing = new Map<string, { readonly entry: Entry, readonly over: () => void }>()
  let faults = 0

  const nameOf = (key: string) => store.keeps === 'values' ? key : hash('sha256', key, 'base64url')
  const fault = () => { faults++ }

  function write (key: string, entry: Entry, done: unknown): void {
    if (!isPromise(done)) return
    const over = () => {
      patience.stop(due)
      if (writing.get(key)?.entry === entry) writing.delete(key)
    }
    writing.get(key)?.over()
    writing.set(key, { entry, over })
    const late = new Abort()
    late.cut = () => {
      fault()
      over()
    }
    const due = patience.start(late)
    done.then(over, () => {
      if (due.listed) fault()
      over()
    })
  }

  /** What came from elsewhere, with its value read anew. */
  function open (stored: unknown, key: string, { spec }: LiveCall<unknown>): Entry | undefined {
    if (stored === undefined || stored === null) return undefined
    if (store.keeps === 'values') return stored as Entry
    const entry = readEntry(stored)
    if (entry !== undefined) {
      try {
        return { ...entry, value: deepFreeze(valueOf(spec, entry)) }
      } catch {
        // Kept under a schema that was another then, or damaged: it goes.
      }
    }
    fault()
    shelf.forget(key)
    return undefined
  }

  const shelf: Shelf = {
    keeps: store.keeps,
    find (key, call) {
      const soon = writing.get(key)
      if (soon !== undefined) return soon.entry
      let found
      try {
        found = store.get(nameOf(key))
      } catch {
        fault()
        return undefined
      }
      if (!isPromise(found)) return open(found, key, call)
      return new Lookup(call, patience, found, fault).found.then(stored => open(stored, key, call))
    },
    keep (key, entry) {
      const { value: _, ...plain } = entry
      try {
        write(key, entry, store.set(nameOf(key), store.keeps === 'values' ? entry : plain, usefulMs(entry)))
      } catch {
        fault()
      }
    },
    forget (key) {
      writing.delete(key)
      try {
        const done = store.delete(nameOf(key))
        if (isPromise(done)) done.then(undefined, fault)
      } catch {
        fault()
      }
    },
    close () {
      for (const { over } of writing.values()) over()
    },
    get faults () { return faults },
  }
  return shelf
}

function isPromise (value: unknown): value is Promise<unknown> {
  return typeof (value as { readonly then?: unknown } | undefined | null)?.then === 'function'
}
