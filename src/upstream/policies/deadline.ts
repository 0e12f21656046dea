import { UpstreamError } from '../../errors.ts'
import { createTimerQueue } from '../../core/timer-queue.ts'
import { type Layer, callbackLayer } from '../call/layer.ts'
import { TimedCall } from './timed-call.ts'

export interface DeadlineOptions {
  readonly upstream: string
  /** The limit on one call, in ms. It includes the time in the queue, every attempt and the body. */
  readonly deadline: number
}

/** Gives a call its own deadline if it is earlier than the deadline of its run. */
export function deadline({ upstream, deadline }: DeadlineOptions): Layer {
  const running = createTimerQueue(
    deadline,
    () => new UpstreamError('DEADLINE_EXCEEDED', upstream, { detail: `the limit of a call is ${deadline} ms` }),
  )

  return callbackLayer(next => (call, completion) => {
    if (call.abort.aborted) return completion.reject(call.abort.reason)
    if (call.scope.deadline - call.scope.now() <= deadline) return next(call, completion)
    const limit = new TimedCall(call, running)
    next(limit.call, {
      resolve(answer) {
        limit.clear()
        completion.resolve(answer)
      },
      reject(error) {
        limit.clear()
        completion.reject(error)
      },
    })
  })
}
