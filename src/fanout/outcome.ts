import { Problem, UpstreamError, type ErrorCode } from '../errors.ts'
import type { Cached } from '../upstream/spec/answer.ts'

/** The state in which a step ended. A reply is complete if every source is `ok` or `skipped`. */
export type State = 'ok' | 'stale' | 'partial' | 'fallback' | 'skipped' | 'failed' | 'cancelled'

/** One failed call of a step that makes several calls. */
export interface FailedCall {
  /** The index of the call in the list that the step made. */
  readonly index: number
  /** The code of the failure. */
  readonly code: string
  /** The status of the upstream's response, if there was one. */
  readonly status?: number
}

/** Returns the code of the error that failed a step. */
export function codeOf(error: unknown): ErrorCode {
  return error instanceof UpstreamError || error instanceof Problem ? error.code : 'INTERNAL'
}

/** Returns the entry of a call that failed. */
export function failedCall(index: number, error: unknown): FailedCall {
  const code = codeOf(error)
  const status = error instanceof UpstreamError ? error.upstreamStatus : undefined
  return status === undefined ? { index, code } : { index, code, status }
}

/** The part of `sources` about one step, or about context(). */
export interface Outcome {
  /** The state in which the step ended. */
  readonly state: State
  /** The start of the step, in ms from the start of the run; undefined if it did not start. */
  readonly start?: number
  /** The duration of the step, in ms. */
  readonly ms: number
  /** The number of attempts of its calls. */
  readonly attempts: number
  /** The number of calls of an `each`, a `firstOf`, `pages`, or a step or context() that asks several calls. */
  readonly calls?: number
  /** The number of calls that succeeded. */
  readonly ok?: number
  /** The calls that failed, by index. */
  readonly failed?: readonly FailedCall[]
  /**
   * The number of items above `maxItems`, or of pages above `maxPages`, that `overflow: 'truncate'` omitted; `null` if
   * further pages exist and their number is not known.
   */
  readonly omitted?: number | null
  /** The upstream's status, for a step that makes one call. */
  readonly status?: number
  /**
   * The use of the cache, for an operation with a cache: `hit` (a fresh entry was used), `stale` (a stale entry was
   * used) or `miss` (the upstream was called). For several calls it is the last of these values that applies to at
   * least one call.
   */
  readonly cache?: Cached['cache']
  /** The age of the entry that was used, in whole seconds. For several entries it is the largest age. */
  readonly age?: number
  /** The time for which the entry stays fresh, in whole seconds. For several entries it is the shortest time. */
  readonly ttl?: number
  /** The code of the failure because of which the step failed, has its fallback or has a stale value. */
  readonly code?: string
  /** The rehearsed fault that acted on a call of the step, for example `delay:500`. */
  readonly fault?: string
}

/**
 * The outcomes of a run: one per step, by name, in the order of declaration. `context` is before them if context() made
 * a call or failed.
 */
export type Sources<K extends string> = Record<K, Outcome> & { readonly context?: Outcome }
