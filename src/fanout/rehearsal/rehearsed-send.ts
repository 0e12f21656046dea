import type { CallEvent } from '../../upstream/call/events.ts'
import type { Answer, Completion, Send } from '../../upstream/call/layer.ts'
import type { LiveCall } from '../../upstream/call/live-call.ts'
import { closeUnsent } from '../../upstream/call/write-body/stream-body.ts'
import type { UpstreamSpec } from '../../upstream/spec/spec.ts'
import { DelayedCall } from './delayed-call.ts'
import type { Rehearsal, RehearsedFault } from './fault.ts'
import { simulatedError } from './simulated-error.ts'

/**
 * Returns a function that sends the calls of one run with its faults. It is above all layers: an upstream sees either
 * the whole call or nothing of it, and so do its cache, its circuit breaker and the callers that share the call.
 *
 * @param attemptTimeoutOf Returns the limit on one attempt of an upstream that has answered, in ms.
 */
export function rehearsedSend(
  send: Send,
  rehearsal: Rehearsal,
  attemptTimeoutOf: (upstream: UpstreamSpec) => number,
): Send {
  return (call, completion) => {
    const fault = rehearsal.get(call.step)
    if (fault === undefined) return send(call, completion)
    if (fault.kind === 'delay') {
      const delayed = new DelayedCall(call, fault, attemptTimeoutOf, completion)
      return send(delayed.call, delayed)
    }
    closeUnsent(call)
    settle(call, fault, completion)
  }
}

/** Settles a call that is not sent. */
function settle<T>(
  call: LiveCall<T>,
  fault: Exclude<RehearsedFault, { kind: 'delay' }>,
  completion: Completion<T>,
): void {
  const { scope, step, index, spec } = call
  const error = simulatedError(call, fault)
  const status = fault.kind === 'fail' ? fault.status : undefined
  const event: CallEvent = {
    type: 'call ended',
    at: scope.now(),
    step,
    call: index,
    upstream: spec.upstream.name,
    operation: spec.name,
    attempts: 0,
    status,
    code: error?.code,
    error,
    cached: undefined,
    fault: fault.text,
  }
  scope.emit(event)
  if (error === undefined) completion.resolve({ value: null, status } as Answer<T>)
  else completion.reject(error)
}
