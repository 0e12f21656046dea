import type { LiveCall } from '../../call/call.ts'
import { ignoreRejection } from '../../../core/ignore-rejection.ts'
import type { LayerPosition } from '../../spec/layers.ts'
import { LayerCall } from './layer-call.ts'
import type { Answer, Layer } from '../layer.ts'
import { LayerInvocation } from './layer-invocation.ts'

/** The upstream that a custom layer is created for. */
export interface LayerUpstream {
  readonly name: string
  /** Where it really is: as declared, or as set from outside. */
  readonly origin: string
  /** What stands before every path there; empty for most. */
  readonly prefix: string
}

/** The service below a custom layer. Rejects with an `UpstreamError`, or with the reason the call was given up for. */
export type LayerNext = <T>(call: LayerCall<T>) => Promise<Answer<T>>

/**
 * A layer of an author: is called once for each upstream that is opened, and what it returns once for each call, or
 * each attempt. A layer that returns what `next` returned adds no promise.
 */
export type CustomLayer = (
  next: LayerNext,
  upstream: LayerUpstream,
) => <T>(call: LayerCall<T>) => Answer<T> | Promise<Answer<T>>

/**
 * Runs a custom layer so that it can hold nothing up: what it throws is a rejection, and it is not waited for when its
 * call is given up.
 */
export function custom(layer: CustomLayer, at: LayerPosition, upstream: LayerUpstream): Layer {
  return next => {
    let service: ReturnType<CustomLayer>
    try {
      service = layer(call => LayerCall.pass(call), upstream)
      if (typeof service !== 'function') {
        ignoreRejection(service)
        throw new TypeError(
          `upstream '${upstream.name}': a custom layer returns a function of a call: next => call => next(call)`,
        )
      }
    } catch (error) {
      return () => Promise.reject(error)
    }
    return <T>(live: LiveCall<T>) => {
      if (live.abort.aborted) return Promise.reject(live.abort.reason)
      const invocation = new LayerInvocation(live, next, at, upstream.name)
      let answer: Answer<T> | Promise<Answer<T>>
      try {
        answer = service(new LayerCall(live, invocation))
      } catch (error) {
        answer = Promise.reject(error)
      }
      return invocation.take(answer)
    }
  }
}
