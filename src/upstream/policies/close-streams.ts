import { callbackLayer, type Layer } from '../call/layer.ts'
import { StreamBody } from '../call/write-body/stream-body.ts'

/**
 * Lets one call use the stream of a body, and closes the stream when the call has ended, also if the call was never
 * sent. An open file would stay open otherwise.
 */
export function closeStreams(): Layer {
  return callbackLayer(next => (call, completion) => {
    const { body } = call
    if (!(body instanceof StreamBody)) return next(call, completion)
    if (!body.claim()) return completion.reject(body.alreadySent())
    next(call, {
      resolve(answer) {
        body.close()
        completion.resolve(answer)
      },
      reject(error) {
        body.close()
        completion.reject(error)
      },
    })
  })
}
