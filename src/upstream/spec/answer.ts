import type { UpstreamError } from '../../errors.ts'

/** Response headers by lower-case name. The values have no white space at their ends. */
export type ResponseHeaders = Readonly<Record<string, string | string[] | undefined>>

/** The part of a cache in an answer. */
export interface Cached {
  /** `hit`: a fresh entry was used. `stale`: a stale entry was used. `miss`: the upstream was called. */
  readonly cache: 'hit' | 'stale' | 'miss'
  /** The age of the entry, in whole seconds. */
  readonly age?: number
  /** The time for which the entry stays fresh, in whole seconds; negative if it is stale. */
  readonly ttl?: number
  /** The failure of the upstream that a stale entry replaces (stale-if-error). */
  readonly insteadOf?: UpstreamError
}

/** A request as it was sent. */
export interface SentRequest {
  /** Names in any case, and values, alternating. */
  readonly headers: readonly string[]
  /** The headers in the input of the call, and those that layers and the cache added, by lower-case name. */
  readonly layerHeaders: Readonly<Record<string, string>> | undefined
}

/** The answer of an upstream to one call. */
export interface Answer<out T> {
  /** The value that the schema of the operation returned. */
  readonly value: T
  /** The upstream's status. */
  readonly status: number
  /** The response as it was received. Present if the operation has a cache. */
  readonly received?: {
    readonly head: ResponseHeaders
    readonly body: Buffer
    readonly value: unknown
    readonly request: SentRequest
    /** The position of the key of the call in the request; absent without `keyBatch`. */
    readonly keyIndex?: number
  }
  /** The part of the cache in the answer; absent without a cache. */
  readonly cached?: Cached
  /** The status of a stored `null` that a 304 confirmed. It shows whether that status is one of `nullOn`. */
  readonly keptStatus?: number
}
