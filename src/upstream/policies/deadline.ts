import { UpstreamError } from '../../errors.ts'
import { createTimerQueue } from '../../core/timer-queue.ts'
import { type Layer, callbackLayer } from '../call/layer.ts'
import { TimedCall } from './timed-call.ts'

export interface DeadlineOptions {
  readonly upstream: string
  /** Limit on one call with its waiting, every attempt and the body, in ms. */
  readonly deadline: number
}

/** Gives a call a deadline of its own, where that is nearer than its run's. */
export function deadline({ upstream, deadline }: DeadlineOptions): Layer {
  const running = createTimerQueue(
    deadline,
    () => new UpstreamError('DEADLINE_EXCEEDED', upstream, { detail: `a call may take ${deadline} ms` }),
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
