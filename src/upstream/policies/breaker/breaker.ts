import { UpstreamError } from '../../../errors.ts'
import type { LiveCall } from '../../call/call.ts'
import { classify } from '../../call/classify.ts'
import { Circuit, type BreakerState, type CircuitOptions } from './circuit.ts'
import { callbackLayer, type Answer, type Layer, type Completion } from '../../call/layer.ts'

export type { BreakerState } from './circuit.ts'

export interface BreakerOptions extends Omit<CircuitOptions, 'onStateChange'> {
  readonly upstream: string
  /** Called when it opens, to reject the calls that are queued below it: each with a refusal of its own. */
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
 * Stops asking an upstream that fails, by the state machine of `Circuit`: an open circuit refuses every call at once,
 * those included that wait for a permit or a connection; a half-open one admits a growing share of the runs, since a
 * run whose other calls were refused would end at once and take the call that tries with it. Only what says something
 * about the upstream counts: no refusal of ours, no caller who left, no 4xx but 408 and 429. An attempt that began
 * before the last transition ends too late to say anything of the state after it. After Nygard, "Release It!".
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
          // `onStateChange` threw: the call must end all the same.
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

/** Records in the circuit how an attempt ends. */
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
    // An upstream that refuses the question is there. A 429 of one caller comes from what counts its calls.
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
