import { UpstreamError } from '../../errors.ts'
import { timeouts } from '../../core/timer-queue.ts'
import { relay, type Layer } from './layer.ts'
import { Limited } from './limit.ts'

export interface DeadlineOptions {
  readonly upstream: string
  /** Limit on one call with its waiting, every attempt and the body, in ms. */
  readonly deadline: number
}

/** Gives a call a deadline of its own, where that is nearer than its run's. */
export function deadline ({ upstream, deadline }: DeadlineOptions): Layer {
  const running = timeouts(deadline, () => new UpstreamError('DEADLINE_EXCEEDED', upstream, { detail: `a call may take ${deadline} ms` }))

  return relay(next => (call, taker) => {
    if (call.abort.aborted) return taker.lose(call.abort.reason)
    if (call.scope.deadline - call.scope.now() <= deadline) return next(call, taker)
    const limit = new Limited(call, running)
    next(limit.call, {
      win (answer) {
        limit.lift()
        taker.win(answer)
      },
      lose (error) {
        limit.lift()
        taker.lose(error)
      },
    })
  })
}
