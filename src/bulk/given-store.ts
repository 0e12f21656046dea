import type { BulkStore, ByteRange } from './object-store.ts'

/** A failure of a store that an embedder has given. */
export class BulkStoreError extends Error {
  override readonly name = 'BulkStoreError'

  constructor(operation: keyof BulkStore, cause: unknown) {
    super(`the store of bulk runs failed: ${operation}: ${String((cause as Error | undefined)?.message ?? cause)}`, {
      cause,
    })
  }
}

/** A store that an embedder has given. Its failures can be told from faults of the service. */
export class GivenStore implements BulkStore {
  readonly #store: BulkStore

  constructor(store: BulkStore) {
    this.#store = store
  }

  create(name: string, body: Uint8Array): Promise<boolean> {
    return attempt('create', () => this.#store.create(name, body))
  }

  read(name: string, range?: ByteRange): Promise<Buffer | undefined> {
    return attempt('read', () => this.#store.read(name, range))
  }

  has(name: string): Promise<boolean> {
    return attempt('has', () => this.#store.has(name))
  }

  list(folder: string): Promise<readonly string[]> {
    return attempt('list', () => this.#store.list(folder))
  }

  remove(folder: string): Promise<void> {
    return attempt('remove', () => this.#store.remove(folder))
  }
}

async function attempt<T>(operation: keyof BulkStore, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    throw new BulkStoreError(operation, error)
  }
}
