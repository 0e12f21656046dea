import type { Cached } from '../upstream/call/cached.ts'

/** How a step ended; a reply is complete when every step is `ok` or `skipped`. */
export type State = 'ok' | 'stale' | 'partial' | 'fallback' | 'skipped' | 'failed' | 'cancelled'

/** One failed call of a step that makes several calls. */
export interface Loss {
  readonly index: number
  readonly code: string
  /** The status of the upstream's response, if there was one. */
  readonly status?: number
}

/** The part of `sources` about one step. */
export interface Outcome {
  readonly state: State
  /** When it started, in ms from the run's start; none when it never did. */
  readonly start?: number
  /** How long it took, in ms. */
  readonly ms: number
  /** How often its calls were sent. */
  readonly attempts: number
  /** Calls it made, of a step that makes several. */
  readonly calls?: number
  /** Calls that were answered. */
  readonly ok?: number
  readonly failed?: readonly Loss[]
  /** The upstream's status, of a step that makes one call. */
  readonly status?: number
  /**
   * How a cache answered, of a step that calls an operation with one: `hit` (fresh), `stale`, or `miss` (the upstream
   * was asked). Of several calls the last of these that is true of one.
   */
  readonly cache?: Cached['cache']
  /**
   * How old an answer is that was kept, and for how long it stays fresh, in whole seconds; of several the oldest and
   * the shortest.
   */
  readonly age?: number
  readonly ttl?: number
  /** Why it has no value of its own, or only an old one. */
  readonly code?: string
}
