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

/** Returns the code of whatever failed a step. */
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
  /** The number of calls of an `each`, a `firstOf`, or a context() that asks several. */
  readonly calls?: number
  /** The number of calls that succeeded. */
  readonly ok?: number
  /** The calls that failed, by index. */
  readonly failed?: readonly FailedCall[]
  /** The number of items above `maxItems` that were not asked, under `overflow: 'truncate'`. */
  readonly omitted?: number
  /** The upstream's status, for a step that makes one call. */
  readonly status?: number
  /**
   * The part that the cache had in the answer, for an operation with a cache: `hit` (a fresh answer was kept), `stale`
   * (a kept answer was no longer fresh) or `miss` (the upstream was called). For several calls it is the last of these
   * that applies to one of them.
   */
  readonly cache?: Cached['cache']
  /** The age of a kept answer, in whole seconds; the largest of several. */
  readonly age?: number
  /** The time that a kept answer stays fresh, in whole seconds; the smallest of several. */
  readonly ttl?: number
  /** The error because of which the step has no value of its own, or a stale one. */
  readonly code?: string
}

/**
 * The outcomes of a run: one per step, by name, in the order of declaration. `context` is before them if context()
 * asked a call or failed.
 */
export type Sources<K extends string> = Record<K, Outcome> & { readonly context?: Outcome }
