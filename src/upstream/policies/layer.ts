import type { Cached } from '../call/cached.ts'
import type { LiveCall } from '../call/call.ts'
import type { ResponseHeaders } from '../transport/response-headers.ts'

/** What an upstream answered. */
export interface Answer<out T> {
  readonly value: T
  /** The upstream's status. */
  readonly status: number
  /** What came over the wire, of an operation whose answers are kept. */
  readonly received?: { readonly head: ResponseHeaders; readonly body: Buffer; readonly value: unknown }
  /** How a cache had part in it; none where none was asked. */
  readonly cached?: Cached
  /** The status of a kept `null` that a 304 confirmed: it says whether that is an absence. */
  readonly keptStatus?: number
}

/**
 * Gets the result of a call, once: its answer, an `UpstreamError`, or the abort reason of the call, untouched.
 */
export interface Completion<in T> {
  resolve(answer: Answer<T>): void
  reject(error: unknown): void
}

/** Answers a call through its completion, maybe before it returns; it never throws. */
export type Send = <T>(call: LiveCall<T>, completion: Completion<T>) => void

/** Answers a call, or rejects with an `UpstreamError` or the call's own abort reason, untouched. */
export interface Service {
  <T>(call: LiveCall<T>): Promise<Answer<T>>
  /** The same without a promise, where it needs none. */
  readonly send?: Send
}

/** Adds one behaviour around a service. The layer that adds none is `next => next`. */
export type Layer = (next: Service) => Service

/** Puts layers around a service; the first is the outermost: it sees the call first and the answer last. */
export function stack(layers: readonly Layer[], service: Service): Service {
  return layers.reduceRight((next, layer) => layer(next), service)
}

/**
 * Makes a layer of what needs no promise: neighbours of its kind call each other, so that a call through all of them
 * makes none.
 */
export function callbackLayer(around: (next: Send) => Send): Layer {
  return next => serviceOf(around(sendOf(next)))
}

/** A service for those who want a promise. */
export function serviceOf(send: Send): Service & { readonly send: Send } {
  return Object.assign(
    <T>(call: LiveCall<T>) =>
      new Promise<Answer<T>>((resolve, reject) => {
        send(call, { resolve, reject })
      }),
    { send },
  )
}

/** Any service, for those who want none. */
export function sendOf(service: Service): Send {
  return (
    service.send ??
    ((call, completion) => {
      let sent
      try {
        sent = service(call)
      } catch (error) {
        return completion.reject(error)
      }
      sent.then(
        answer => completion.resolve(answer),
        error => completion.reject(error),
      )
    })
  )
}
