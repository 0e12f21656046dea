import type { LiveCall } from '../../call/live-call.ts'
import { ignoreRejection } from '../../../core/promises.ts'
import type { CustomLayer, LayerUpstream } from '../../spec/layer-types.ts'
import type { LayerPosition } from '../../spec/layers.ts'
import { CustomLayerCall } from './layer-call.ts'
import type { Answer, Layer } from '../../call/layer.ts'
import { LayerInvocation } from './layer-invocation.ts'

/**
 * Runs a custom layer so that it cannot block a call. An error that it throws becomes a rejection. When the call is
 * aborted, it is rejected without waiting for the layer.
 */
export function custom(layer: CustomLayer, at: LayerPosition, upstream: LayerUpstream): Layer {
  const name = layer.name === '' ? `a layer of layers.${at}` : `the layer '${layer.name}' of layers.${at}`
  return next => {
    let service: ReturnType<CustomLayer>
    try {
      service = layer(call => CustomLayerCall.pass(call), upstream)
      if (typeof service !== 'function') {
        ignoreRejection(service)
        throw new TypeError(
          `upstream '${upstream.name}': a custom layer must return a function of a call: next => call => next(call)`,
        )
      }
    } catch (error) {
      return () => Promise.reject(error)
    }
    return <T>(live: LiveCall<T>) => {
      if (live.abort.aborted) return Promise.reject(live.abort.reason)
      const invocation = new LayerInvocation(live, next, at, upstream.name, name)
      let answer: Answer<T> | Promise<Answer<T>>
      try {
        answer = service(new CustomLayerCall(live, invocation))
      } catch (error) {
        answer = Promise.reject(error)
      }
      return invocation.take(answer)
    }
  }
}
