import type { Partition } from '../core/partition.ts'
import type { CacheStore } from './policies/cache/store.ts'

/**
 * State that several replicas of a service share. Its functions never throw or reject. While its store is unavailable,
 * they answer from this process alone.
 */
export interface SharedState {
  /** The shared cache. */
  readonly cacheStore: CacheStore
  /**
   * Returns the function that counts the requests of a client in all replicas.
   *
   * @param max The largest number of requests per minute and client.
   * @returns The function. It receives the client and the number of requests, by default 1. It resolves to the count in
   *   the present window and the time in ms until the window ends.
   */
  rateLimit(
    max: number,
  ): (client: string, requests?: number) => Promise<{ readonly current: number; readonly ttl: number }>
  /** The live replicas. */
  readonly replicas: Replicas
  /**
   * Shares the retry budget of an upstream with all replicas.
   *
   * @param upstream The name of the upstream.
   * @param budget The budget of this process.
   * @returns A function that ends the sharing.
   */
  shareBudget(upstream: string, budget: SharedBudget): () => void
  /** Returns the present state and the counts. */
  readonly gauge: () => SharedGauge
  /** Leaves the group of replicas and ends all timers. Does not close a client that the caller has created. */
  close(): Promise<void>
}

/** The live replicas of a service. While the store is unavailable, the values are the last that were seen. */
export interface Replicas {
  /** The part of this service among the live services. It is the only one until the first heartbeat. */
  readonly services: Partition
  /** The number of live processes, at least 1. Each worker is a process. */
  readonly processes: number
  /** Adds a listener for changes of the live replicas. Returns the function that removes it. */
  onChange(listener: () => void): () => void
}

/** The part of a retry budget that is shared. */
export interface SharedBudget {
  /** The ratio of extra attempts to calls. */
  readonly ratio: number
  /** The extra attempts that all replicas together may always send in 10 s. */
  readonly minimum: number
  /** Returns the calls and the extra attempts since the last time. `extra` may be negative. */
  takeCounts(): { readonly calls: number; readonly extra: number }
  /** Replaces the extra attempts that may be sent until the next time. */
  allow(attempts: number): void
  /** Counts in this process alone from now on, with the part of one process in `minimum`. */
  allowAlone(processes: number): void
}

/** The state of a shared store and its counts. */
export interface SharedGauge {
  /** False while the store is not used. */
  readonly isAvailable: boolean
  /** The live replicas that were last seen. */
  readonly replicas: number
  /** The commands by result. `skipped`: the store was unavailable and nothing was sent. */
  readonly commands: { readonly ok: number; readonly failed: number; readonly late: number; readonly skipped: number }
  /** The answers from the memory of this process. */
  readonly memoryHits: number
  /** The entries in the memory of this process. */
  readonly entries: number
  /** The bytes of these entries. */
  readonly bytes: number
}
