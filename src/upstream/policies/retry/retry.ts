import { UpstreamError } from '../../../errors.ts'
import type { ResendRefusal } from '../../call/events.ts'
import type { LiveCall } from '../../call/live-call.ts'
import { refusalOf, reportRefusedResend } from '../../call/report.ts'
import type { RetryBudget } from './retry-budget.ts'
import { callbackLayer, serviceOf, type Answer, type Layer, type Service, type Completion } from '../../call/layer.ts'
import { pause } from './pause.ts'

export interface RetryOptions {
  /** The limit on the attempts of one call. It includes the first attempt. */
  readonly maxAttempts: number
  /** The limit on the first pause, in ms. It doubles with each pause. */
  readonly initialDelay: number
  /** The limit on every pause, in ms. */
  readonly maxDelay: number
  readonly budget: RetryBudget
  /** A number from 0 up to 1. @default Math.random */
  readonly random?: () => number
}

/** The longest `Retry-After` that is followed, in ms. With a longer one the call is not retried. */
const maxRetryAfter = 30_000

/**
 * Sends a call again if it failed for a transient reason, and if it is idempotent or was never sent. The table of
 * `errors.ts` has the codes and statuses of these failures (`retryable`, `retryableStatuses`).
 *
 * Pauses use full jitter (Brooker, "Exponential Backoff And Jitter"). A `Retry-After` of the upstream takes precedence.
 * Every retry is withdrawn from the budget.
 *
 * A reused connection can close before the first byte of the response, because the upstream closed it as idle while the
 * request was in flight. That is not evidence against the upstream. So the call is sent again at once, without the
 * budget, once per call. All later attempts of the call use new connections. A second loss is a failure of the
 * upstream, or the request itself causes it: it uses the budget and counts for the breaker.
 */
export function retry(options: RetryOptions): Layer {
  return callbackLayer(next => {
    const service = serviceOf(next)
    const first = <T>(call: LiveCall<T>, completion: Completion<T>, error: unknown) => {
      again(service, call, options, error, 1).then(
        answer => completion.resolve(answer),
        last => completion.reject(last),
      )
    }
    return (call, completion) => next(call, new Tried(call, completion, options, first))
  })
}

/** Receives the result of a first attempt. It passes an answer on and may retry a failure. */
class Tried<T> implements Completion<T> {
  readonly #call: LiveCall<T>
  readonly #completion: Completion<T>
  readonly #options: RetryOptions
  readonly #failed: (call: LiveCall<T>, completion: Completion<T>, error: unknown) => void

  constructor(
    call: LiveCall<T>,
    completion: Completion<T>,
    options: RetryOptions,
    failed: (call: LiveCall<T>, completion: Completion<T>, error: unknown) => void,
  ) {
    this.#call = call
    this.#completion = completion
    this.#options = options
    this.#failed = failed
  }

  resolve(answer: Answer<T>): void {
    this.#completion.resolve(answer)
  }

  reject(error: unknown): void {
    // A failure that is not retried ends the call at once. So a step whose first call is refused does not send the
    // others.
    if (mayRetry(this.#call, error, 1, this.#options)) this.#failed(this.#call, this.#completion, error)
    else this.#completion.reject(error)
  }
}

/** Returns whether a call is sent again at once and without the budget. */
function isFree({ isRepeatable, effort }: LiveCall<unknown>, { isIdleClose }: UpstreamError): boolean {
  return isIdleClose && isRepeatable && !effort.hadFreeRetry
}

/** Returns whether another attempt may be sent, before the pause and the budget are known. */
function mayRetry(
  call: LiveCall<unknown>,
  error: unknown,
  attempts: number,
  { maxAttempts }: RetryOptions,
): error is UpstreamError {
  const { abort, isRepeatable } = call
  if (!(error instanceof UpstreamError) || abort.aborted) return false
  if (isFree(call, error)) return true
  return attempts < maxAttempts && error.retryable && (isRepeatable || error.code === 'UPSTREAM_UNREACHABLE')
}

/**
 * Sends one more attempt, or rejects with the failure. If an earlier attempt had an unknown outcome, the call also ends
 * with `OUTCOME_UNKNOWN`, unless a later attempt succeeds. An answer of `responses` with a status such as 409 is not a
 * success: the earlier attempt may be its reason.
 */
function again<T>(
  next: Service,
  call: LiveCall<T>,
  options: RetryOptions,
  error: unknown,
  attempts: number,
): Promise<Answer<T>> {
  const isUnknown = error instanceof UpstreamError && error.code === 'OUTCOME_UNKNOWN'
  return repeat(next, call, options, error, attempts).then(
    answer => {
      if (isUnknown && call.spec.responses !== undefined && answer.status >= 400) throw error
      return answer
    },
    (last: unknown) => {
      throw isUnknown ? error : last
    },
  )
}

async function repeat<T>(
  next: Service,
  call: LiveCall<T>,
  options: RetryOptions,
  error: unknown,
  attempts: number,
): Promise<Answer<T>> {
  if (!mayRetry(call, error, attempts, options)) throw error
  const { effort } = call
  const free = isFree(call, error)
  if (!free) {
    const ms = pauseBefore(error, attempts, options)
    const refusal = refusalBefore(call, ms, options)
    if (refusal !== undefined) {
      reportRefusedResend(call, 'retry', refusal)
      throw error
    }
    await pause(call, ms)
  }
  if (free) effort.hadFreeRetry = true
  call.metrics.retried(free)
  const second = call.nextAttempt()
  try {
    return await next(second)
  } catch (later) {
    // A refusal of the second attempt by Headwaters would hide the failure of the upstream.
    if (later instanceof UpstreamError && !second.attempt.sent && !call.abort.aborted) {
      const refusal = refusalOf(later)
      if (refusal !== undefined) reportRefusedResend(call, 'retry', refusal)
      throw error
    }
    return again(next, call, options, later, free ? attempts : attempts + 1)
  }
}

/** Returns the reason for which no attempt follows after a pause; otherwise withdraws it from the budget. */
function refusalBefore({ scope }: LiveCall<unknown>, ms: number, { budget }: RetryOptions): ResendRefusal | undefined {
  if (ms > maxRetryAfter) return 'retry-after'
  if (ms >= (scope.patience ?? scope.deadline) - scope.now()) return 'deadline'
  return budget.withdraw() ? undefined : 'budget'
}

/** Returns the pause before the next attempt, in ms: full jitter, or the upstream's `Retry-After` plus some jitter. */
export function pauseBefore(
  { retryAfterMs }: Pick<UpstreamError, 'retryAfterMs'>,
  attempts: number,
  { initialDelay, maxDelay, random = Math.random }: Pick<RetryOptions, 'initialDelay' | 'maxDelay' | 'random'>,
): number {
  // Jitter prevents callers with the same `Retry-After` from returning all at once.
  if (retryAfterMs !== undefined) return retryAfterMs + random() * initialDelay
  return random() * Math.min(maxDelay, initialDelay * 2 ** (attempts - 1))
}
