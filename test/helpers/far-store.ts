import { setImmediate } from 'node:timers/promises'
import type { Entry } from '../../src/upstream/policies/cache/entry.ts'
import type { CacheStore } from '../../src/upstream/policies/cache/store.ts'

/** What a far store does with each question; the test may change it at any time. */
export interface FarStore {
  readonly store: CacheStore
  /** What it holds: JSON, as in a database. */
  readonly held: Map<string, string>
  /** For how long each entry is of use, in ms. */
  readonly useful: Map<string, number>
  /** `hang`: it never answers; `reject` and `throw`: it fails. */
  mode: 'well' | 'hang' | 'reject' | 'throw'
  /** How often it was asked for an entry. */
  readonly asked: number
}

/** A store in some other process: everything crosses over as JSON, and answers come later. */
export function farStore(patience?: number): FarStore {
  const held = new Map<string, string>()
  const useful = new Map<string, number>()
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
    mode: 'well',
    get asked() {
      return asked
    },
    store: {
      keeps: 'bodies',
      ...(patience !== undefined && { patience }),
      get(key) {
        asked++
        return begin(() => {
          const text = held.get(key)
          return text === undefined ? undefined : (JSON.parse(text) as Entry)
        })
      },
      set(key, entry, usefulMs) {
        const text = JSON.stringify(entry)
        return begin(() => {
          held.set(key, text)
          useful.set(key, usefulMs)
        })
      },
      delete: key => begin(() => held.delete(key)),
    },
  }
  return far
}
