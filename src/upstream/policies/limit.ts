import { Abort } from '../abort.ts'
import type { LiveCall } from '../call.ts'
import type { Timeouts } from '../timeouts.ts'
import type { Answer, Service } from './layer.ts'

/** Sends a call that is cut when its timeout rings, and leaves no timer and no listener behind. */
export function limited<T> (next: Service, call: LiveCall<T>, timeouts: Timeouts): Promise<Answer<T>> {
  const abort = new Abort()
  call.abort.add(abort)
  const due = timeouts.start(abort)
  const stop = () => {
    timeouts.stop(due)
    call.abort.delete(abort)
  }
  return next(call.under(abort)).finally(stop)
}
