import type { Cached } from '../upstream/spec/answer.ts'
import type { Abort } from '../core/abort.ts'
import type { Call } from '../upstream/call/call.ts'
import type { ErrorCode } from '../errors.ts'
import type { CallCompletion, CallGroup, SendCall, SendItem } from './call-group.ts'
import type { CallCounts } from './events.ts'
import { failedCall, type FailedCall, type State } from './outcome.ts'
import type { PartialValue } from './partial-values.ts'
import { sendLimit, type LimitSend } from './send-limit.ts'

/** Receives the result of one asked call. */
export interface AnswerCompletion {
  resolve(value: unknown): void
  reject(error: unknown): void
}

/** The end of a step with asked calls, as `sources` reports it. */
interface AskedEnd {
  readonly state: State
  readonly code: ErrorCode | undefined
  readonly tally: CallCounts | undefined
}

/**
 * The calls that the function of a step or of context() sends with `ask`, and the one call that it may return after
 * them. A list of calls that it returns is a group of its own, whose calls have the next numbers.
 */
export class AskedCalls implements CallGroup, CallCompletion {
  readonly #limit: LimitSend
  readonly #send: SendItem
  /** Aborts the asked calls. */
  readonly #abort: Abort
  /** The completions of the calls, by index; undefined for a call that has ended. */
  readonly #waiting: (AnswerCompletion | undefined)[] = []
  #ok = 0
  readonly #failed: FailedCall[] = []
  /** The code of the last failure that a stale answer replaced. */
  #staleCode: ErrorCode | undefined
  /** The calls of the list that the function has returned. */
  list: CallGroup | undefined

  /** @param concurrency the largest number of calls in flight, with the items of a returned list */
  constructor(send: SendCall, concurrency: number, abort: Abort) {
    this.#limit = sendLimit(concurrency)
    this.#send = this.#limit(send as SendItem)
    this.#abort = abort
  }

  send(call: Call<unknown>, completion: AnswerCompletion): void {
    const index = this.#waiting.push(completion) - 1
    this.#send(call, index, this)
  }

  /**
   * Returns `send` for the items of a returned list. Their numbers follow those of the asked calls.
   *
   * @param perRequest the number of items that may share a request, and count as one for the limit
   */
  sendOfList(send: SendItem, perRequest = 1): SendItem {
    const first = this.#waiting.length
    const limited = this.#limit(send, perRequest)
    return (item, index, completion) =>
      limited(item, first + index, {
        resolve: (at, value, cached, isAbsent) => completion.resolve(at - first, value, cached, isAbsent),
        reject: (at, error) => completion.reject(at - first, error),
      })
  }

  /** The number of calls so far. */
  get count(): number {
    return this.#waiting.length
  }

  /** True if an answer has arrived, so that the input of a later call may come from an upstream. */
  get hasAnswer(): boolean {
    return this.#ok > 0
  }

  /** True if a stale answer has replaced a failure. */
  get isStale(): boolean {
    return this.#staleCode !== undefined
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
    this.rejectAll(reason)
    this.list?.forceSettle(reason)
  }

  /** The values so far of the list that the function has returned. */
  soFar(): PartialValue | undefined {
    return this.list?.soFar()
  }

  /** Rejects the calls that have not ended, so that the function that awaits them goes on. */
  rejectAll(reason: unknown): void {
    for (let index = 0; index < this.#waiting.length; index++) this.reject(index, reason)
  }

  /** Aborts the calls that the step has not awaited. Unsafe calls that were sent continue until `parent` is aborted. */
  end(parent: Abort, reason: unknown): void {
    this.#abort.abort(reason)
    if (this.#abort.size === 0) parent.delete(this.#abort)
  }

  /**
   * Returns the end of a step that has a value. The counts include calls whose error the function has caught. A stale
   * context() that makes several calls has no code, because `ask` may be called after its end.
   */
  outcome(isContext: boolean): AskedEnd {
    const isAlone = this.#waiting.length === 1 && this.#failed.length === 0
    return {
      state: this.isStale ? 'stale' : 'ok',
      code: isAlone || !isContext ? this.#staleCode : undefined,
      tally: isAlone ? undefined : this.tally(),
    }
  }

  /** Returns the counts of a step that has failed; undefined if it made one call, as for a call that it returns. */
  failureTally(): CallCounts | undefined {
    return this.#waiting.length === 1 ? undefined : this.tally()
  }

  /** Returns the counts of the asked calls, together with those of a returned list. */
  tally(list?: CallCounts): CallCounts {
    // Copy the list: a call that the function did not wait for may fail later and be added to it.
    const failed = this.#failed.toSorted((a, b) => a.index - b.index)
    const counts = { calls: this.#waiting.length, ok: this.#ok, failed }
    if (list === undefined) return counts
    return {
      ...list,
      calls: counts.calls + list.calls,
      ok: counts.ok + list.ok,
      failed: [...failed, ...list.failed.map(loss => ({ ...loss, index: loss.index + counts.calls }))],
    }
  }

  #take(index: number): AnswerCompletion | undefined {
    const completion = this.#waiting[index]
    this.#waiting[index] = undefined
    return completion
  }
}
