import type { Answer } from '../spec/answer.ts'
import type { LiveCall } from './live-call.ts'

export type { Answer } from '../spec/answer.ts'

/** Receives the result of a call once: its answer, an `UpstreamError`, or the abort reason of the call, unchanged. */
export interface Completion<in T> {
  resolve(answer: Answer<T>): void
  reject(error: unknown): void
}

/** Sends a call and settles its completion, possibly before it returns. It never throws. */
export type Send = <T>(call: LiveCall<T>, completion: Completion<T>) => void

/**
 * Resolves with the answer to a call. Rejects with an `UpstreamError`, or with the abort reason of the call, unchanged.
 */
export interface Service {
  <T>(call: LiveCall<T>): Promise<Answer<T>>
  /** Does the same without a promise, for services that do not need one. */
  readonly send?: Send
}

/** Adds one behaviour to a service. A layer without a behaviour is `next => next`. */
export type Layer = (next: Service) => Service

/** Puts layers around a service. The first layer is the outermost: it receives the call first and the answer last. */
export function stack(layers: readonly Layer[], service: Service): Service {
  return layers.reduceRight((next, layer) => layer(next), service)
}

/**
 * Returns a layer that uses callbacks instead of promises. Adjacent layers of this kind call each other directly, so
 * that a call through all of them makes no promise.
 */
export function callbackLayer(layer: (next: Send) => Send): Layer {
  return next => serviceOf(layer(sendOf(next)))
}

/** Returns a service with promises for a function with callbacks. */
export function serviceOf(send: Send): Service & { readonly send: Send } {
  return Object.assign(
    <T>(call: LiveCall<T>) =>
      new Promise<Answer<T>>((resolve, reject) => {
        send(call, { resolve, reject })
      }),
    { send },
  )
}

/** Returns the callback form of any service. */
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
