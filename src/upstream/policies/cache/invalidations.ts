import { promiseOf } from '../../../core/promises.ts'
import { createTimerQueue, type TimerQueue } from '../../../core/timer-queue.ts'
import { createChanges } from './changes.ts'
import { machineClock, type Clock } from './entry.ts'
import { getTimeoutOf, storedName, type CacheStore } from './store.ts'

export interface InvalidationsOptions {
  /** The store that all upstreams share. @default each upstream has a store of its own */
  readonly shared?: CacheStore | undefined
  readonly clock?: Clock
}

/**
 * The invalidations of a runtime (RFC 9111, section 4.4): an unsafe call through any of its upstreams invalidates its
 * URI in every store that keeps answers of its origin.
 */
export class Invalidations {
  /** The reason with which an unsafe call stops waiting for a store. */
  static readonly late = Symbol('the store is late')

  readonly #shared: readonly CacheStore[] | undefined
  /** The stores of the upstreams, by origin. */
  readonly #own = new Map<string, CacheStore[]>()
  /**
   * The URIs whose invalidation a store has not confirmed yet, or could not do. They are invalid in this runtime in any
   * case.
   */
  readonly #unconfirmed = createChanges()
  readonly #clock: Clock
  /** Limits how long an unsafe call waits for the stores. */
  readonly timeout: TimerQueue

  constructor({ shared, clock = machineClock }: InvalidationsOptions = {}) {
    this.#shared = shared && [shared]
    this.#clock = clock
    // A store in memory answers at once.
    this.timeout = createTimerQueue(shared === undefined ? 0 : getTimeoutOf(shared), () => Invalidations.late)
  }

  /** Adds the store of an upstream; a shared store is known already. */
  add(origin: string, store: CacheStore): void {
    if (this.#shared !== undefined) return
    const stores = this.#own.get(origin)
    if (stores === undefined) this.#own.set(origin, [store])
    else stores.push(store)
  }

  /** Returns the stores that may keep answers of an origin. */
  storesOf(origin: string): readonly CacheStore[] | undefined {
    return this.#shared ?? this.#own.get(origin)
  }

  /**
   * Invalidates URIs in stores.
   *
   * @returns a promise that rejects with the cause of the first failure; `undefined` if all is done
   */
  invalidate(stores: readonly CacheStore[], uris: readonly string[]): Promise<unknown> | undefined {
    const pending: Promise<unknown>[] = []
    for (const store of stores) for (const uri of uris) this.#begin(store, uri, pending)
    return pending.length === 0 ? undefined : Promise.all(pending)
  }

  #begin(store: CacheStore, uri: string, pending: Promise<unknown>[]): void {
    let done: Promise<unknown> | undefined
    try {
      done = promiseOf(store.invalidate(storedName(store, uri)))
    } catch (error) {
      done = Promise.reject(error)
    }
    if (done === undefined) return
    const at = this.#clock.steady()
    this.#unconfirmed.note(uri, at)
    pending.push(done.then(() => this.#unconfirmed.remove(uri, at)))
  }

  /** Returns whether a URI was changed at a moment or since, as far as a store may not know it. */
  since(uri: string, requestedAt: number): boolean {
    return this.#unconfirmed.since(uri, requestedAt)
  }
}
