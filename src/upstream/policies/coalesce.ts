import { Abort, type Abortable } from '../abort.ts'
import type { LiveCall } from '../call.ts'
import { deepFreeze } from '../freeze.ts'
import type { Answer, Layer } from './layer.ts'

interface Flight {
  readonly abort: Abort
  readonly answer: Promise<Answer<unknown>>
  waiting: number
}

export interface CoalesceOptions {
  /** What makes two calls equal. */
  readonly keyOf: (call: LiveCall<unknown>) => string
}

/**
 * Lets equal calls in flight share one answer (single-flight), frozen because it is shared.
 * The flight belongs to nobody: a caller that leaves takes only itself along, and the last one to leave ends the flight.
 */
export function coalesce ({ keyOf }: CoalesceOptions): Layer {
  const flights = new Map<string, Flight>()

  return next => <T>(call: LiveCall<T>) => {
    if (!call.spec.coalesce) return next(call)
    if (call.abort.aborted) return Promise.reject(call.abort.reason)
    const key = keyOf(call)
    let flight = flights.get(key)
    if (flight === undefined) {
      const abort = new Abort()
      // No deadline: each caller keeps its own, and leaves by it.
      const { scope } = call
      const shared = call.under(abort, {
        deadline: Infinity,
        headers: scope.headers,
        admitted: scope.admitted,
        now: () => scope.now(),
        emit: event => scope.emit(event),
      })
      const started: Flight = {
        abort,
        waiting: 0,
        answer: next(shared).then(deepFreeze).finally(() => {
          if (flights.get(key) === started) flights.delete(key)
        }),
      }
      flights.set(key, flight = started)
    }
    return join(call, flight, () => {
      if (flights.get(key) === flight) flights.delete(key)
    }) as Promise<Answer<T>>
  }
}

function join (call: LiveCall<unknown>, flight: Flight, forget: () => void): Promise<Answer<unknown>> {
  flight.waiting++
  return new Promise((resolve, reject) => {
    const leave = () => {
      call.abort.delete(waiter)
      flight.waiting--
    }
    const waiter: Abortable = {
      cut (reason) {
        leave()
        if (flight.waiting === 0) {
          forget()
          flight.abort.cut(reason)
        }
        reject(reason)
      },
    }
    call.abort.add(waiter)
    flight.answer.then(answer => {
      leave()
      resolve(answer)
    }, error => {
      leave()
      reject(error)
    })
  })
}
