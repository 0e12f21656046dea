import { promiseOf } from '../../../core/promises.ts'
import { createTimerQueue, type TimerQueue } from '../../../core/timer-queue.ts'
import { createChanges } from './changes.ts'
import { machineClock, type Clock } from './entry.ts'
import { PendingInvalidation } from './pending-invalidation.ts'
import { getTimeoutOf, storedName, type CacheStore } from './store.ts'

export interface InvalidationsOptions {
  /** The store that all upstreams share. @default none: each upstream has its own store */
  readonly shared?: CacheStore | undefined
  readonly clock?: Clock
}

/** The stores and listeners that an invalidation of a URI uses. */
export interface InvalidationTargets {
  /** The stores that may contain answers of the URI. */
  readonly stores: readonly CacheStore[]
  /** Called with each URI, before the stores. */
  readonly listeners: readonly ((uri: string) => void)[]
}

/** The targets of one origin. */
interface Targets extends InvalidationTargets {
  readonly stores: CacheStore[]
  readonly listeners: ((uri: string) => void)[]
}

/** The time for which unsafe calls do not wait for a store that was late, in ms. */
const lateMs = 1000

/**
 * The invalidations of a runtime, or of runtimes that follow each other (RFC 9111, section 4.4). An unsafe call through
 * any upstream invalidates its URI in every store that has answers of its origin. Later calls do not join flights of
 * that URI that started before.
 */
export class Invalidations {
  /** The targets for an origin without an open upstream that stores or coalesces answers. */
  readonly #elsewhere: InvalidationTargets | undefined
  readonly #byOrigin = new Map<string, Targets>()
  /**
   * The URIs whose invalidation a store has not confirmed yet, or which failed. Their earlier entries are invalid in
   * this runtime in any case.
   */
  readonly #unconfirmed = createChanges()
  readonly #clock: Clock
  /** Limits the time that an unsafe call waits for the stores. */
  readonly #timeout: TimerQueue
  readonly #pending = new Set<PendingInvalidation>()
  /** The time until which the shared store counts as late. */
  #lateUntil = -Infinity

  constructor({ shared, clock = machineClock }: InvalidationsOptions = {}) {
    this.#elsewhere = shared && { stores: [shared], listeners: [] }
    this.#clock = clock
    // A memory store confirms synchronously, so it needs no timeout.
    this.#timeout = createTimerQueue(shared === undefined ? 0 : getTimeoutOf(shared), () => undefined)
  }

  #at(origin: string) {
    let targets = this.#byOrigin.get(origin)
    if (targets === undefined)
      this.#byOrigin.set(origin, (targets = { stores: [...(this.#elsewhere?.stores ?? [])], listeners: [] }))
    return targets
  }

  /**
   * Adds the store of an upstream. It has no effect if the upstreams share a store.
   *
   * @returns A function that removes the store.
   */
  add(origin: string, store: CacheStore): () => void {
    return this.#elsewhere === undefined ? this.#join(origin, 'stores', store) : () => {}
  }

  /**
   * Calls `listener` with each URI of an origin that an unsafe call has changed.
   *
   * @returns A function that removes the listener.
   */
  listen(origin: string, listener: (uri: string) => void): () => void {
    return this.#join(origin, 'listeners', listener)
  }

  #join<Kind extends keyof Targets>(origin: string, kind: Kind, target: Targets[Kind][number]): () => void {
    const targets = this.#at(origin)
    const list: unknown[] = targets[kind]
    list.push(target)
    return () => {
      list.splice(list.indexOf(target), 1)
      const isShared = this.#elsewhere !== undefined
      if (targets.listeners.length === 0 && (isShared || targets.stores.length === 0)) this.#byOrigin.delete(origin)
    }
  }

  /** Returns the targets of an unsafe call to an origin; `undefined` if there are none. */
  targetsOf(origin: string): InvalidationTargets | undefined {
    return this.#byOrigin.get(origin) ?? this.#elsewhere
  }

  /**
   * Calls the listeners, and invalidates URIs in the stores.
   *
   * @returns A promise that rejects with the cause of the first failure; `undefined` if all stores have confirmed.
   */
  invalidate({ stores, listeners }: InvalidationTargets, uris: readonly string[]): Promise<unknown> | undefined {
    for (const listener of listeners) for (const uri of uris) listener(uri)
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

  /** Watches an invalidation. Calls `onFault` when it fails or is late, and `onEnd` when it has ended or is late. */
  watch(pending: Promise<unknown>, onFault: (cause: unknown) => void, onEnd: () => void): void {
    const watched = new PendingInvalidation(pending, this.#timeout, {
      onFault,
      onEnd: isLate => {
        this.#pending.delete(watched)
        this.#lateUntil = isLate ? this.#clock.steady() + lateMs : -Infinity
        onEnd()
      },
    })
    this.#pending.add(watched)
  }

  /** True while unsafe calls do not wait for the store, because it was late a short time ago. */
  get isLate(): boolean {
    return this.#clock.steady() < this.#lateUntil
  }

  /** Returns whether a URI was changed at or after a moment, for changes that a store has not confirmed. */
  since(uri: string, requestedAt: number): boolean {
    return this.#unconfirmed.since(uri, requestedAt)
  }

  /** Stops all timers. */
  close(): void {
    for (const watched of this.#pending) watched.close()
    this.#pending.clear()
  }
}
