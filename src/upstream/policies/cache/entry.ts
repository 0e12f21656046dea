import type { ResponseHeaders } from '../../spec/answer.ts'
import { hasValidator } from './validators.ts'

/** The times of a request, in ms since 1970, and the generation of its URI at the start of the request. */
export interface Fetched {
  /** The time at which the request was sent. */
  readonly requestedAt: number
  /** The time at which the answer was received. */
  readonly receivedAt: number
  /** The generation of the URI. The entry is valid while the URI has this generation. */
  readonly generation: string
}

/**
 * A stored answer. With `storage: 'bodies'` the entry is plain JSON, so the store can be outside of the process. Times
 * are in ms.
 */
export interface Entry extends Freshness, Fetched {
  /** The key of the entry. Present only with `storage: 'bodies'`. */
  readonly key?: string
  /** The status of the answer. */
  readonly status: number
  /** The response headers. With `storage: 'values'`, only those that control caching. */
  readonly head: ResponseHeaders
  /** The size of the entry: its memory in bytes with `values`, the length of the decoded body with `bodies`. */
  readonly bytes: number
  /**
   * The body, present only with `storage: 'bodies'`. It is the JSON text, or base64 if the `responseType` of the
   * operation is `text` or `bytes`.
   */
  readonly body?: string
  /**
   * The position of the key in the request of its batch, present only with `storage: 'bodies'` and `keyBatch`. The body
   * is then the body of the batch.
   */
  readonly keyIndex?: number | undefined
}

/** An entry with the value that the schema of the operation made of it. The value is frozen. */
export interface LookupResult {
  readonly entry: Entry
  readonly value: unknown
}

/**
 * The generation of a URI in a lookup. `undefined`: the URI has no generation. `null`: the store failed, and the answer
 * cannot be stored.
 */
export type FoundGeneration = string | undefined | null

/** A lookup without a valid entry. */
export interface Miss {
  readonly entry: undefined
  readonly generation: FoundGeneration
}

/** The result of a lookup in a cache. */
export type Lookup = LookupResult | Miss

/** Returns the generation of the URI of a lookup. */
export function generationOf(found: Lookup): FoundGeneration {
  return found.entry === undefined ? found.generation : found.entry.generation
}

/** The initial age of an answer and the times for which it can be used, in ms (RFC 9111, section 4.2). */
export interface Freshness {
  /** The age of the answer when it was received. */
  readonly initialAge: number
  /** The age up to which the answer is fresh. */
  readonly lifetime: number
  /** The time after `lifetime` in which the answer is used while a refresh runs (RFC 5861, section 3). */
  readonly staleWhileRevalidate: number
  /** The time after `lifetime` in which the answer is used when a refresh fails (RFC 5861, section 4). */
  readonly staleIfError: number
}

/** Returns the current age of an answer (RFC 9111, section 4.2.3). */
export function ageOf({ initialAge, receivedAt }: Entry, now: number): number {
  return initialAge + Math.max(0, now - receivedAt)
}

/** Returns the time from receipt for which an entry can be used: fresh, stale, or for its validators. It is in ms. */
export function retentionMs({ initialAge, lifetime, staleWhileRevalidate, staleIfError, head }: Entry): number {
  const withoutAsking = Math.max(0, lifetime - initialAge) + Math.max(staleWhileRevalidate, staleIfError)
  return hasValidator(head) ? Math.max(withoutAsking, dayMs) : withoutAsking
}

const dayMs = 24 * 3600 * 1000

/** The two clocks of a cache, in ms since 1970. */
export interface Clock {
  /** Returns the time of the wall clock, which can be set back. It is compared with the dates of upstreams. */
  wall(): number
  /** Returns a time that never goes back, for durations. */
  steady(): number
}

const began = performance.timeOrigin

/** The clocks of this machine. */
export const machineClock: Clock = {
  wall: () => Date.now(),
  steady: () => began + performance.now(),
}
