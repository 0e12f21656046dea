import type { Cached } from '../upstream/spec/answer.ts'
import type { Call } from '../upstream/call/call.ts'
import type { ErrorCode } from '../errors.ts'
import type { CallCompletion, CallGroup, SendCall } from './call-group.ts'
import type { CallCounts } from './events.ts'
import { failedCall, type FailedCall, type State } from './outcome.ts'

/** Receives the result of one call of context(). */
export interface AnswerCompletion {
  resolve(value: unknown): void
  reject(error: unknown): void
}

/** The end of context(), as `sources` reports it. */
interface ContextEnd {
  readonly state: State
  readonly code: ErrorCode | undefined
  readonly tally: CallCounts | undefined
}

/** The calls of context(): the calls that its function sends with `ask`, and the call that it may return. */
export class ContextCalls implements CallGroup, CallCompletion {
  readonly #send: SendCall
  /** The completions of the calls, by index; undefined for a call that has ended. */
  readonly #waiting: (AnswerCompletion | undefined)[] = []
  #ok = 0
  readonly #failed: FailedCall[] = []
  /** The code of the last failure that a stale answer replaced. */
  #staleCode: ErrorCode | undefined

  constructor(send: SendCall) {
    this.#send = send
  }

  send(call: Call<unknown>, completion: AnswerCompletion): void {
    const index = this.#waiting.push(completion) - 1
    this.#send(call, index, this)
  }

  resolve(index: number, value: unknown, cached: Cached | undefined): void {
    const completion = this.#take(index)
    if (completion === undefined) return
    this.#ok++
    if (cached?.insteadOf !== undefined) this.#staleCode = cached.insteadOf.code
    completion.resolve(value)
  }

  reject(index: number, error: unknown): void {
    const completion = this.#take(index)
    if (completion === undefined) return
    this.#failed.push(failedCall(index, error))
    completion.reject(error)
  }

  forceSettle(reason: unknown): void {
    for (let index = 0; index < this.#waiting.length; index++) this.reject(index, reason)
  }

  /** Returns the end of a context() that has a value. The counts include calls whose error the function has caught. */
  end(): ContextEnd {
    const isAlone = this.#waiting.length === 1 && this.#failed.length === 0
    return {
      state: this.#staleCode === undefined ? 'ok' : 'stale',
      code: isAlone ? this.#staleCode : undefined,
      tally: isAlone ? undefined : this.#tally(),
    }
  }

  /** Returns the counts of a context() that has failed; undefined if it made one call, as for a required step. */
  failureTally(): CallCounts | undefined {
    return this.#waiting.length === 1 ? undefined : this.#tally()
  }

  #tally(): CallCounts {
    return {
      calls: this.#waiting.length,
      ok: this.#ok,
      // Copy the list: a call that context() did not wait for may fail later and be added to it.
      failed: this.#failed.toSorted((a, b) => a.index - b.index),
    }
  }

  #take(index: number): AnswerCompletion | undefined {
    const completion = this.#waiting[index]
    this.#waiting[index] = undefined
    return completion
  }
}
