import { UpstreamError } from '../../../errors.ts'
import type { LiveCall } from '../../call/live-call.ts'
import { classify } from '../../call/classify.ts'
import { Circuit, type BreakerState, type CircuitOptions } from './circuit.ts'
import { callbackLayer, type Answer, type Layer, type Completion } from '../../call/layer.ts'

export type { BreakerState } from './circuit.ts'

export interface BreakerOptions extends Omit<CircuitOptions, 'onStateChange'> {
  readonly upstream: string
  /** Called when the breaker opens. It rejects the calls that are queued below the breaker, each with a new refusal. */
  readonly rejectQueued?: (refusal: () => UpstreamError) => void
  /** Called on each transition. */
  readonly onStateChange?: CircuitOptions['onStateChange'] | undefined
}

export interface BreakerGauge {
  readonly breaker: BreakerState
}

export interface Breaker {
  readonly layer: Layer
  readonly gauge: BreakerGauge
}

/**
 * Stops calls to an upstream that fails, with the state machine of `Circuit`. After Nygard, "Release It!".
 *
 * An open breaker refuses every call at once. Calls that already wait for a permit or a connection are refused too.
 *
 * A half-open breaker admits a growing share of the runs. It admits runs, not calls: a run whose other calls are
 * refused ends at once, and aborts the call that tests the upstream.
 *
 * Only failures that are evidence about the upstream count. These do not count: refusals by Headwaters, calls that the
 * caller aborted, and 4xx statuses other than 408 and 429. An attempt that started before the last transition does not
 * count either.
 */
export function breaker({ upstream, rejectQueued, onStateChange, ...options }: BreakerOptions): Breaker {
  const circuit = new Circuit({
    ...options,
    onStateChange(from, to) {
      if (to === 'open') rejectQueued?.(refusal)
      onStateChange?.(from, to)
    },
  })

  function refusal(): UpstreamError {
    return new UpstreamError('BREAKER_OPEN', upstream, { retryAfterMs: circuit.retryAfterMs })
  }

  return {
    layer: callbackLayer(next => (call, completion) => {
      if (circuit.state !== 'closed') {
        let isAdmitted
        try {
          isAdmitted = circuit.tryAcquire(call.scope.admitted)
        } catch (bug) {
          // `onStateChange` threw. Without a rejection the call would never end.
          return completion.reject(bug)
        }
        if (!isAdmitted) return completion.reject(refusal())
      }
      next(call, new BreakerAttempt(call, completion, circuit))
    }),
    gauge: {
      get breaker() {
        return circuit.state
      },
    },
  }
}

/** Records the end of an attempt in the circuit. */
class BreakerAttempt<T> implements Completion<T> {
  readonly #call: LiveCall<T>
  readonly #completion: Completion<T>
  readonly #circuit: Circuit
  readonly #generation: number

  constructor(call: LiveCall<T>, completion: Completion<T>, circuit: Circuit) {
    this.#call = call
    this.#completion = completion
    this.#circuit = circuit
    this.#generation = circuit.generation
  }

  resolve(answer: Answer<T>): void {
    if (this.#generation === this.#circuit.generation) {
      try {
        this.#circuit.onSuccess()
      } catch (bug) {
        return this.#completion.reject(bug)
      }
    }
    this.#completion.resolve(answer)
  }

  reject(error: unknown): void {
    if (this.#generation === this.#circuit.generation) {
      try {
        this.#recordFailure(error)
      } catch (bug) {
        return this.#completion.reject(bug)
      }
    }
    this.#completion.reject(error)
  }

  #recordFailure(error: unknown): void {
    const circuit = this.#circuit
    if (classify(error, this.#call.attempt.sent) === 'failed') circuit.onFailure()
    // An upstream that answers with an error status is reachable. A 429 is not evidence here: a limiter in front of the
    // upstream may send it.
    else if (
      circuit.state === 'half-open' &&
      error instanceof UpstreamError &&
      error.upstreamStatus !== undefined &&
      error.upstreamStatus !== 429
    )
      circuit.onSuccess()
    else circuit.onIgnored()
  }
}
