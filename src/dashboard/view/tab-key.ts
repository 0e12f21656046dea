import type { KeyStore } from '../model/phase.ts'

const keyName = 'headwaters-key'

/** Returns the store of the key: the memory of the tab or, where the browser blocks it, that of the page. */
export function tabKey(): KeyStore {
  let ownKey: string | undefined
  return {
    read: () => stored(storage => storage.getItem(keyName) ?? undefined) ?? ownKey,
    write: key => {
      ownKey = key
      stored(storage => storage.setItem(keyName, key))
    },
    forget: () => {
      ownKey = undefined
      stored(storage => storage.removeItem(keyName))
    },
  }
}

// A browser that blocks the storage throws.
function stored<T>(use: (storage: Storage) => T): T | undefined {
  try {
    return use(sessionStorage)
  } catch {
    return undefined
  }
}
