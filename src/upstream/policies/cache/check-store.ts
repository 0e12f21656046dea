import { wholeNumber } from '../../../core/bounds.ts'
import type { CacheStore } from './store.ts'

/**
 * Checks a store that is given from outside.
 *
 * @throws {TypeError} that names the part and the fix
 */
export function checkStore(owner: string, store: CacheStore): CacheStore {
  const { keeps, patience } = store
  if (keeps !== 'values' && keeps !== 'bodies')
    throw new TypeError(`${owner}: cacheStore.keeps is '${String(keeps)}', and must be 'values' or 'bodies'`)
  for (const part of ['get', 'set', 'delete'] as const) {
    if (typeof store[part] !== 'function') throw new TypeError(`${owner}: cacheStore.${part} must be a function`)
  }
  if (patience !== undefined) wholeNumber(owner, 'cacheStore.patience', patience, { unit: 'ms' })
  return store
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
