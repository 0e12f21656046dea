import { deepFreeze } from '../../core/freeze.ts'
import type { LiveCall } from '../call/live-call.ts'
import { callbackLayer, type Answer, type Completion, type Layer } from '../call/layer.ts'
import { answerOf } from '../call/status-answer.ts'

/**
 * Gives a call the answer of its last attempt if that attempt failed with a status of `responses`, such as 503. The
 * layers below handle the failure as without `responses`: they retry, count for the breaker, and use a stale answer.
 */
export function statusAnswers(): Layer {
  return callbackLayer(next => (call, completion) => {
    if (call.spec.responses === undefined) next(call, completion)
    else next(call, new ListedFailure(call, completion))
  })
}

/** Receives the result of a call whose operation lists statuses. */
class ListedFailure<T> implements Completion<T> {
  readonly #call: LiveCall<T>
  readonly #completion: Completion<T>

  constructor(call: LiveCall<T>, completion: Completion<T>) {
    this.#call = call
    this.#completion = completion
  }

  resolve(answer: Answer<T>): void {
    this.#completion.resolve(answer)
  }

  reject(error: unknown): void {
    const { spec } = this.#call
    const answer = answerOf(error, spec) as Answer<T> | undefined
    if (answer === undefined) return this.#completion.reject(error)
    // Equal calls share the error, and so its answer.
    if (spec.coalesce) deepFreeze(answer.value)
    this.#completion.resolve(spec.cache === undefined ? answer : { ...answer, cached: { cache: 'miss' } })
  }
}
