import { randomUUID } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import type { Entry } from '../../src/upstream/policies/cache/entry.ts'
import type {
  CacheLease,
  CacheLeaseName,
  CacheStore,
  CacheStoreLookup,
} from '../../src/upstream/policies/cache/store.ts'

/** What a far store does with each question; the test may change it at any time. */
export interface FarStore {
  readonly store: CacheStore
  /** What it holds: JSON, as in a database. */
  readonly held: Map<string, string>
  /** For how long each entry is of use, in ms. */
  readonly useful: Map<string, number>
  /** The generation of each URI. */
  readonly generations: Map<string, string>
  /** `hang`: it never answers; `reject` and `throw`: it fails. */
  mode: 'well' | 'hang' | 'reject' | 'throw'
  /** The same for its leases; `unknown`: it cannot tell. */
  leaseMode: 'well' | 'hang' | 'reject' | 'throw' | 'unknown'
  /** The leases that are held. */
  readonly leases: Set<string>
  /** The leases that are unshared, with the time for which they are, in ms. They stay so until the test deletes them. */
  readonly unshared: Map<string, number>
  /** How often it was asked for an entry. */
  readonly asked: number
  /** How often it was asked for the state of a lease. */
  readonly polls: number
}

/** A store in some other process: everything crosses over as JSON, and answers come later. */
export function farStore(getTimeout?: number): FarStore {
  const held = new Map<string, string>()
  const useful = new Map<string, number>()
  const generations = new Map<string, string>()
  const leases = new Set<string>()
  const unshared = new Map<string, number>()
  let asked = 0
  let polls = 0

  async function later<T>(act: () => T): Promise<T> {
    await setImmediate()
    if (far.mode === 'hang') await new Promise(() => {})
    if (far.mode === 'reject') throw new Error('the store is down')
    return act()
  }
  function begin<T>(act: () => T): Promise<T> {
    if (far.mode === 'throw') throw new Error('the store is no store')
    return later(act)
  }
  function lease<T>(act: () => T): Promise<T | undefined> {
    if (far.leaseMode === 'throw') throw new Error('the store has no leases')
    return leaseLater(act)
  }
  async function leaseLater<T>(act: () => T): Promise<T | undefined> {
    await setImmediate()
    if (far.leaseMode === 'hang') await new Promise(() => {})
    if (far.leaseMode === 'reject') throw new Error('the store is down')
    return far.leaseMode === 'unknown' ? undefined : act()
  }

  function stateOf(name: CacheLeaseName): 'taken' | 'unshared' | undefined {
    const text = JSON.stringify(name)
    if (unshared.has(text)) return 'unshared'
    return leases.has(text) ? 'taken' : undefined
  }
  function heldLease(name: string): CacheLease {
    leases.add(name)
    return {
      release(unsharedMs) {
        if (far.leaseMode === 'throw') throw new Error('the store has no leases')
        if (far.leaseMode === 'reject') return Promise.reject(new Error('the store is down'))
        leases.delete(name)
        if (unsharedMs > 0) unshared.set(name, unsharedMs)
        return undefined
      },
    }
  }

  const far: FarStore = {
    held,
    useful,
    generations,
    leases,
    unshared,
    mode: 'well',
    leaseMode: 'well',
    get asked() {
      return asked
    },
    get polls() {
      return polls
    },
    store: {
      storage: 'bodies',
      ...(getTimeout !== undefined && { getTimeout }),
      get(key, uri) {
        asked++
        return begin((): CacheStoreLookup => {
          const text = held.get(key)
          const generation = generations.get(uri)
          return text === undefined ? { generation } : { entry: JSON.parse(text) as Entry, generation }
        })
      },
      set(key, uri, entry, retentionMs) {
        const text = JSON.stringify(entry)
        return begin(() => {
          held.set(key, text)
          useful.set(key, retentionMs)
          if (!generations.has(uri)) generations.set(uri, entry.generation)
        })
      },
      invalidate: uri => begin(() => generations.set(uri, randomUUID())),
      delete: key => begin(() => held.delete(key)),
      leases: {
        take: name => lease(() => stateOf(name) ?? heldLease(JSON.stringify(name))),
        stateOf(name) {
          polls++
          return lease(() => stateOf(name) ?? 'free')
        },
      },
    },
  }
  return far
}
