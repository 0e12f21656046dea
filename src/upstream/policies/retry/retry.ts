import { UpstreamError } from '../../../errors.ts'
import type { LiveCall } from '../../call/call.ts'
import type { RetryBudget } from './retry-budget.ts'
import { callbackLayer, serviceOf, type Answer, type Layer, type Service, type Completion } from '../../call/layer.ts'
import { pause } from './pause.ts'

export interface RetryOptions {
  /** The most attempts of one call, the first included. */
  readonly maxAttempts: number
  /** Bound of the first pause, in ms; it doubles with each. */
  readonly initialDelay: number
  /** Bound of every pause, in ms. */
  readonly maxDelay: number
  readonly budget: RetryBudget
  /** A number from 0 up to 1. @default Math.random */
  readonly random?: () => number
}

/** The longest pause an upstream can ask for, in ms; one that asks for more is not asked again. */
const maxRetryAfter = 30_000

/**
 * Sends a call again that failed for a reason that may pass: one that is idempotent, or that never left. The table of
 * `errors.ts` has the codes and statuses of such failures (`retryable`, `retryableStatuses`). Pauses are
 * full jitter (Brooker, "Exponential Backoff And Jitter"); an upstream's `Retry-After` wins, and every retry is spent
 * from the budget. A connection that had served before and died before anything of this answer says nothing of the
 * upstream (it closed an idle connection while the call was on its way): that is tried again at once and costs nothing,
 * once per call. All later attempts of the call use new connections, and a second loss is one of the upstream, or the
 * request itself kills its connection: it is charged to the budget and counts for the breaker.
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
    return (call, completion) => next(call, new Tried(call, completion, first))
  })
}

/** A first attempt: its failure is looked at, and its answer is passed on. */
class Tried<T> implements Completion<T> {
  readonly #call: LiveCall<T>
  readonly #completion: Completion<T>
  readonly #failed: (call: LiveCall<T>, completion: Completion<T>, error: unknown) => void

  constructor(
    call: LiveCall<T>,
    completion: Completion<T>,
    failed: (call: LiveCall<T>, completion: Completion<T>, error: unknown) => void,
  ) {
    this.#call = call
    this.#completion = completion
    this.#failed = failed
  }

  resolve(answer: Answer<T>): void {
    this.#completion.resolve(answer)
  }

  reject(error: unknown): void {
    // Nothing to think over: who is given up hears it at once, before its run is over.
    if (this.#call.abort.aborted) this.#completion.reject(error)
    else this.#failed(this.#call, this.#completion, error)
  }
}

/**
 * One more attempt, or the failure itself. What may have taken effect stays unknown, whatever comes of repeating it.
 */
function again<T>(
  next: Service,
  call: LiveCall<T>,
  options: RetryOptions,
  error: unknown,
  attempts: number,
): Promise<Answer<T>> {
  return repeat(next, call, options, error, attempts).catch((last: unknown) => {
    throw error instanceof UpstreamError && error.code === 'OUTCOME_UNKNOWN' ? error : last
  })
}

async function repeat<T>(
  next: Service,
  call: LiveCall<T>,
  options: RetryOptions,
  error: unknown,
  attempts: number,
): Promise<Answer<T>> {
  if (!(error instanceof UpstreamError) || call.abort.aborted) throw error
  const { effort } = call
  const free = error.isIdleClose && call.isRepeatable && !effort.hadFreeRetry
  if (!free) {
    if (
      attempts >= options.maxAttempts ||
      !error.retryable ||
      (!call.isRepeatable && error.code !== 'UPSTREAM_UNREACHABLE')
    )
      throw error
    const { patience, deadline } = call.scope
    const ms = pauseBefore(error, attempts, options)
    if (ms > maxRetryAfter || ms >= (patience ?? deadline) - call.scope.now() || !options.budget.withdraw()) throw error
    await pause(call, ms)
  }
  if (free) effort.hadFreeRetry = true
  const second = call.nextAttempt()
  try {
    return await next(second)
  } catch (later) {
    // Our own refusal of the repetition would hide what the upstream did.
    if (later instanceof UpstreamError && !second.attempt.sent && !call.abort.aborted) throw error
    return again(next, call, options, later, free ? attempts : attempts + 1)
  }
}

/** Returns the pause before the next attempt, in ms: full jitter, or the upstream's `Retry-After` plus some jitter. */
export function pauseBefore(
  { retryAfterMs }: Pick<UpstreamError, 'retryAfterMs'>,
  attempts: number,
  { initialDelay, maxDelay, random = Math.random }: Pick<RetryOptions, 'initialDelay' | 'maxDelay' | 'random'>,
): number {
  // Those who were told the same moment do not come back all at once.
  if (retryAfterMs !== undefined) return retryAfterMs + random() * initialDelay
  return random() * Math.min(maxDelay, initialDelay * 2 ** (attempts - 1))
}
