import { Abort, Abortable } from '../../core/abort.ts'
import type { Effort } from '../call/attempt.ts'
import type { LiveCall } from '../call/live-call.ts'
import { reportJoined } from '../call/report.ts'
import type { Scope } from '../call/scope.ts'
import type { CallEvent } from '../call/events.ts'
import { deepFreeze } from '../../core/freeze.ts'
import type { Answer, Layer } from '../call/layer.ts'

interface Flight {
  readonly abort: Abort
  readonly effort: Effort
  readonly answer: Promise<Answer<unknown>>
  readonly path: string
  /** The scope of the flight. Its `patience` is the latest time at which any of its callers needs the answer. */
  readonly scope: Scope & { patience: number }
  waiting: number
}

export interface CoalesceOptions {
  /** Returns the key of a call. Calls with equal keys share one answer. */
  readonly keyOf: (call: LiveCall<unknown>) => string
  /**
   * Receives a function that the caller calls with each path that was changed by calls outside this layer.
   *
   * @default not called: only calls of this layer change a path
   */
  readonly listen?: (leaveBehind: (changed: string) => void) => void
}

/**
 * Lets equal calls in flight share one answer (coalescing). The answer is frozen because it is shared. The flight
 * continues when one caller leaves, and ends when the last caller leaves.
 */
export function coalesce({ keyOf, listen }: CoalesceOptions): Layer {
  const flights = new Map<string, Flight>()

  /** Removes the flights of a path that may have changed, so that new calls do not join them. */
  function leaveBehind(changed: string): void {
    for (const [key, { path }] of flights) if (path === changed) flights.delete(key)
  }
  listen?.(leaveBehind)

  return next =>
    <T>(call: LiveCall<T>) => {
      if (!call.spec.safe) return next(call).finally(() => leaveBehind(call.path))
      if (!call.spec.coalesce) return next(call)
      if (call.abort.aborted) return Promise.reject(call.abort.reason)
      const key = keyOf(call)
      let flight = flights.get(key)
      if (flight === undefined) {
        const abort = new Abort()
        // The flight has no deadline. Each caller has its own deadline and leaves the flight at it.
        const { scope } = call
        const common = {
          deadline: Infinity,
          patience: scope.patience ?? scope.deadline,
          headers: scope.headers,
          abort: scope.abort,
          flow: scope.flow,
          admitted: scope.admitted,
          batchGroup: scope.batchGroup,
          spans: scope.spans,
          trace: scope.trace,
          now: () => scope.now(),
          emit: (event: CallEvent) => scope.emit(event),
        }
        const shared = call.withAbort(abort, common, 1)
        const started: Flight = {
          abort,
          scope: common,
          path: call.path,
          effort: shared.effort,
          waiting: 0,
          answer: next(shared)
            .then(deepFreeze)
            .finally(() => {
              if (flights.get(key) === started) flights.delete(key)
            }),
        }
        flights.set(key, (flight = started))
      } else {
        call.metrics.coalesced()
        // Converts the time to the clock of the flight, which started with the run of its first caller.
        const { scope } = call
        flight.scope.patience = Math.max(
          flight.scope.patience,
          flight.scope.now() + (scope.patience ?? scope.deadline) - scope.now(),
        )
      }
      return join(call, flight, () => {
        if (flights.get(key) === flight) flights.delete(key)
      }) as Promise<Answer<T>>
    }
}

function join(call: LiveCall<unknown>, flight: Flight, forget: () => void): Promise<Answer<unknown>> {
  flight.waiting++
  return new Promise((resolve, reject) => {
    const subscriber = new Subscriber(call, flight, forget, reject)
    flight.answer.then(
      answer => {
        subscriber.leave()
        resolve(answer)
      },
      error => {
        subscriber.leave()
        reject(error)
      },
    )
    // The caller counts as waiting by now, so a listener that aborts all other callers does not end the flight.
    if (call.effort !== flight.effort) reportJoined(call, 'shared')
  })
}

/** One of the callers that wait for the answer of a flight. */
class Subscriber extends Abortable {
  readonly #call: LiveCall<unknown>
  readonly #flight: Flight
  readonly #forget: () => void
  readonly #reject: (reason: unknown) => void

  constructor(call: LiveCall<unknown>, flight: Flight, forget: () => void, reject: (reason: unknown) => void) {
    super()
    this.#call = call
    this.#flight = flight
    this.#forget = forget
    this.#reject = reject
    call.abort.add(this)
  }

  /** Unsubscribes. An aborted caller has already done so before the flight ends. */
  leave(): void {
    if (this.listensTo === undefined) return
    this.#call.abort.delete(this)
    const { scope, effort } = this.#call
    effort.sent = this.#flight.effort.sent
    // The attempts of the flight are those of its first caller.
    if (effort !== this.#flight.effort) scope.spans?.answerShared(this.#call, this.#flight.effort.span)
    this.#flight.waiting--
  }

  onAbort(reason: unknown): void {
    this.leave()
    if (this.#flight.waiting === 0) {
      this.#forget()
      this.#flight.abort.abort(reason)
    }
    this.#reject(reason)
  }
}
