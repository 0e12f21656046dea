import type { Call } from '../upstream/call/call.ts'
import type { CallCompletion, SendCall } from './call-group.ts'

interface WaitingCall {
  readonly send: SendCall
  readonly call: Call<unknown>
  readonly index: number
  readonly completion: CallCompletion
}

/**
 * Returns a function that limits functions of the kind `SendCall`. All functions that it returns share the limit: they
 * send their calls in order, with at most `limit` calls in flight.
 */
export function sendLimit(limit: number): (send: SendCall) => SendCall {
  if (limit === Infinity) return send => send
  const waiting: WaitingCall[] = []
  let inFlight = 0
  let isDraining = false

  /** A call may end before `send` returns; the outer loop then goes on. */
  function drain(): void {
    if (isDraining) return
    isDraining = true
    while (inFlight < limit && waiting.length > 0) start(waiting.shift() as WaitingCall)
    isDraining = false
  }

  function start({ send, call, index, completion }: WaitingCall): void {
    inFlight++
    send(call, index, {
      resolve(at, value, cached, isAbsent) {
        completion.resolve(at, value, cached, isAbsent)
        ended()
      },
      reject(at, error) {
        completion.reject(at, error)
        ended()
      },
    })
  }

  function ended(): void {
    inFlight--
    drain()
  }

  return send => (call, index, completion) => {
    waiting.push({ send, call, index, completion })
    drain()
  }
}
