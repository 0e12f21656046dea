import { randomUUID } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import type { Entry } from '../../src/upstream/policies/cache/entry.ts'
import type { CacheStore, CacheStoreLookup } from '../../src/upstream/policies/cache/store.ts'

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
  /** How often it was asked for an entry. */
  readonly asked: number
}

/** A store in some other process: everything crosses over as JSON, and answers come later. */
export function farStore(getTimeout?: number): FarStore {
  const held = new Map<string, string>()
  const useful = new Map<string, number>()
  const generations = new Map<string, string>()
  let asked = 0

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

  const far: FarStore = {
    held,
    useful,
    generations,
    mode: 'well',
    get asked() {
      return asked
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
    },
  }
  return far
}
