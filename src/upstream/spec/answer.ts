import type { UpstreamError } from '../../errors.ts'

/** Response headers by lower-case name, without white space around their values. */
export type ResponseHeaders = Readonly<Record<string, string | string[] | undefined>>

/** The part that a cache had in an answer. */
export interface Cached {
  /** `hit`: it was kept and fresh; `stale`: it was kept and is no longer fresh; `miss`: the upstream was called. */
  readonly cache: 'hit' | 'stale' | 'miss'
  /** The age of a kept answer, in whole seconds. */
  readonly age?: number
  /** The time that it stays fresh, in whole seconds; negative when it no longer is. */
  readonly ttl?: number
  /** The failure of the upstream, where a kept answer replaces it (stale-if-error). */
  readonly insteadOf?: UpstreamError
}

/** A request as it left on the wire. */
export interface SentRequest {
  /** Names in any case, and values, one after the other. */
  readonly headers: readonly string[]
  /** The headers that layers and the cache gave to the call, by lower-case name. */
  readonly layerHeaders: Readonly<Record<string, string>> | undefined
}

/** The answer of an upstream to one call. */
export interface Answer<out T> {
  /** The value, read by the schema of the operation. */
  readonly value: T
  /** The upstream's status. */
  readonly status: number
  /** The response as it was received, of an operation whose answers are kept. */
  readonly received?: {
    readonly head: ResponseHeaders
    readonly body: Buffer
    readonly value: unknown
    readonly request: SentRequest
  }
  /** The part that a cache had in it; absent without a cache. */
  readonly cached?: Cached
  /** The status of a kept `null` that a 304 confirmed; it tells whether the status is one of `nullOn`. */
  readonly keptStatus?: number
}
