import type { Commands } from '../commands/commands.ts'

/** The number of invalidations that are written at the same time. */
const batch = 100

/** The number of URIs at which the oldest is dropped, about 15 MB. */
const defaultMax = 100_000

/**
 * The URIs whose invalidation the server has not confirmed. They are written before the cache is used again. An
 * invalidation that was executed and is written once more is harmless.
 */
export class UnsentInvalidations {
  /** Each URI with the number of its last change. */
  readonly #uris = new Map<string, number>()
  readonly #send: (uri: string) => Promise<void>
  readonly #commands: Pick<Commands, 'isReachable' | 'suspend'>
  readonly #max: number
  #changes = 0
  /** Called when all URIs are written. */
  #onEmpty: () => void = () => {}

  constructor(
    commands: Pick<Commands, 'isReachable' | 'suspend'>,
    send: (uri: string) => Promise<void>,
    max = defaultMax,
  ) {
    this.#commands = commands
    this.#send = send
    this.#max = max
  }

  has(uri: string): boolean {
    return this.#uris.size > 0 && this.#uris.has(uri)
  }

  get size(): number {
    return this.#uris.size
  }

  /**
   * Adds a URI whose invalidation has failed. While the store is reachable, it is written again at once. If that fails
   * too, the store is not used until it is written. Rejects with the cause if the invalidation is still not confirmed,
   * and with an error of its own if the oldest URI was dropped.
   */
  async add(uri: string, cause: unknown): Promise<void> {
    this.#uris.delete(uri)
    this.#uris.set(uri, ++this.#changes)
    const failure = this.#uris.size > this.#max ? this.#dropOldest(cause) : cause
    if (!this.#commands.isReachable) throw failure
    try {
      await this.#write(uri)
    } catch {
      this.#commands.suspend('an invalidation was not confirmed')
      throw failure
    }
    if (failure !== cause) throw failure
  }

  /** Writes all URIs. Rejects if one of them is not confirmed. */
  async flush(): Promise<void> {
    const uris = [...this.#uris.keys()]
    for (let start = 0; start < uris.length; start += batch)
      await Promise.all(uris.slice(start, start + batch).map(uri => this.#write(uri)))
  }

  /** Waits until all URIs are written, for at most `ms`. */
  async drain(ms: number): Promise<void> {
    if (this.#uris.size === 0) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, ms)
    this.#onEmpty = resolve
    await promise
    clearTimeout(timer)
  }

  #dropOldest(cause: unknown): Error {
    this.#uris.delete(this.#uris.keys().next().value as string)
    const detail = `more than ${this.#max} invalidations wait for the shared store, and the oldest was dropped`
    return new Error(detail, { cause })
  }

  async #write(uri: string): Promise<void> {
    const change = this.#uris.get(uri)
    await this.#send(uri)
    // The URI may have been changed again in the meantime.
    if (this.#uris.get(uri) === change) this.#uris.delete(uri)
    if (this.#uris.size === 0) this.#onEmpty()
  }
}
