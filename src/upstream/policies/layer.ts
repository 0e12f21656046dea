import type { Cached } from '../cached.ts'
import type { LiveCall } from '../call.ts'
import type { Head } from '../head.ts'

/** What an upstream answered. */
export interface Answer<out T> {
  readonly value: T
  /** The upstream's status. */
  readonly status: number
  /** What came over the wire, of an operation whose answers are kept. */
  readonly received?: { readonly head: Head, readonly body: Buffer, readonly value: unknown }
  /** How a cache had part in it; none where none was asked. */
  readonly cached?: Cached
}

/** Answers a call, or rejects with an `UpstreamError` or the call's own abort reason, untouched. */
export type Service = <T>(call: LiveCall<T>) => Promise<Answer<T>>

/** Adds one behaviour around a service. The layer that adds none is `next => next`. */
export type Layer = (next: Service) => Service

/** Puts layers around a service; the first is the outermost: it sees the call first and the answer last. */
export function stack (layers: readonly Layer[], service: Service): Service {
  return layers.reduceRight((next, layer) => layer(next), service)
}
