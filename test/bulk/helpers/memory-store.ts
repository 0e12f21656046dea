import { checkObjectName, type BulkStore, type ByteRange } from '../../../src/bulk/object-store.ts'

/** A store of objects in memory. */
export class MemoryStore implements BulkStore {
  readonly objects = new Map<string, Buffer>()

  async create(name: string, body: Uint8Array): Promise<boolean> {
    checkObjectName(name)
    if (this.objects.has(name)) return false
    this.objects.set(name, Buffer.from(body))
    return true
  }

  async read(name: string, range?: ByteRange): Promise<Buffer | undefined> {
    return this.objects.get(name)?.subarray(range?.start, range?.end)
  }

  async has(name: string): Promise<boolean> {
    return this.objects.has(name)
  }

  async list(folder: string): Promise<readonly string[]> {
    const below = [...this.objects.keys()].filter(name => name.startsWith(`${folder}/`))
    return [...new Set(below.map(name => name.slice(folder.length + 1).split('/')[0] as string))].sort()
  }

  async remove(folder: string): Promise<void> {
    for (const name of this.objects.keys()) if (name.startsWith(`${folder}/`)) this.objects.delete(name)
  }
}

/** A store as a process sees it that is killed at one of its operations, before or after the operation has happened. */
export class MortalStore implements BulkStore {
  readonly #store: BulkStore
  readonly #onDeath: () => void
  #left: number
  readonly #isAfter: boolean

  /**
   * @param operations The number of operations before the one at which the process is killed.
   * @param isAfter True if the last operation still happens.
   */
  constructor(store: BulkStore, operations: number, isAfter: boolean, onDeath: () => void) {
    this.#store = store
    this.#left = operations
    this.#isAfter = isAfter
    this.#onDeath = onDeath
  }

  async #act<T>(operation: () => Promise<T>): Promise<T> {
    if (this.#left-- > 0) return operation()
    if (this.#left === -1) {
      if (this.#isAfter) await operation()
      this.#onDeath()
    }
    throw new Error('killed')
  }

  create(name: string, body: Uint8Array): Promise<boolean> {
    return this.#act(() => this.#store.create(name, body))
  }

  read(name: string, range?: ByteRange): Promise<Buffer | undefined> {
    return this.#act(() => this.#store.read(name, range))
  }

  has(name: string): Promise<boolean> {
    return this.#act(() => this.#store.has(name))
  }

  list(folder: string): Promise<readonly string[]> {
    return this.#act(() => this.#store.list(folder))
  }

  remove(folder: string): Promise<void> {
    return this.#act(() => this.#store.remove(folder))
  }
}
