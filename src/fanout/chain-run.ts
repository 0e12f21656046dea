import { Abortable, type Abort } from '../core/abort.ts'
import { deepFreeze } from '../core/freeze.ts'
import { Call } from '../upstream/call/call.ts'
import type { Cached } from '../upstream/spec/answer.ts'
import { skip } from './skip.ts'
import { isChain, isItem, type Chain } from './chain.ts'
import type { CallCompletion } from './call-group.ts'
import { invoke } from './invoke.ts'
import { isThenable } from './is-thenable.ts'
import type { RunHandle } from './run-handle.ts'
import { labelOf, type Step } from './step.ts'
import { upstreamInputError } from './upstream-input.ts'

export interface ChainRunOptions {
  readonly step: Step
  readonly run: RunHandle
  /** The abort of the step. */
  readonly abort: Abort
  /** Sends a call that a function of the chain has returned. */
  readonly sendNext: (call: Call<unknown>, completion: CallCompletion) => void
}

/**
 * One chain of one run: passes each value to the next link, sends the calls that the links return, and ends once. No
 * link is invoked after the abort of the step.
 */
export class ChainRun extends Abortable implements CallCompletion {
  readonly #chain: Chain<unknown>
  readonly #index: number
  readonly #completion: CallCompletion
  readonly #options: ChainRunOptions
  /** The values so far, in order. They are frozen only at the end of the chain, so that links may change them. */
  readonly #values: unknown[] = []
  /** The use of the cache for the last call that had a stale answer. */
  #stale: Cached | undefined

  constructor(chain: Chain<unknown>, index: number, completion: CallCompletion, options: ChainRunOptions) {
    super()
    this.#chain = chain
    this.#index = index
    this.#completion = completion
    this.#options = options
  }

  resolve(_number: number, value: unknown, cached: Cached | undefined): void {
    if (cached?.insteadOf !== undefined) this.#stale = cached
    this.#proceed(value)
  }

  reject(_number: number, error: unknown): void {
    this.#completion.reject(this.#index, error)
  }

  /** Ends the item while it waits for the promise of a link. */
  override onAbort(reason: unknown): void {
    this.listensTo?.delete(this)
    const { run } = this.#options
    // Ignore the abort of a failed run: the step is reported as cancelled, not as failed.
    if (!run.hasFailed || reason !== run.abort.reason) this.#completion.reject(this.#index, reason)
  }

  #proceed(value: unknown): void {
    const values = this.#values
    const link = this.#chain.links[values.push(value) - 1]
    if (link === undefined) return this.#end(value)
    const { run, abort, step } = this.#options
    // An unsafe call may be answered after the abort.
    if (abort.aborted) return this.onAbort(abort.reason)
    let returned: unknown
    let isAsync: boolean
    try {
      returned = invoke(run, () => link(...(values as never[])), values, abort, step)
      isAsync = isThenable(returned)
    } catch (error) {
      return this.#fail(error)
    }
    if (isAsync) this.#await(returned, abort)
    else this.#read(returned)
  }

  #await(returned: unknown, abort: Abort): void {
    abort.add(this)
    Promise.resolve(returned).then(
      value => {
        if (this.#stopWaiting()) this.#read(value)
      },
      (error: unknown) => {
        if (this.#stopWaiting()) this.#fail(error)
      },
    )
    // The link may have cancelled the run.
    if (abort.aborted) this.onAbort(abort.reason)
  }

  /** Returns false if the abort of the step has already ended the item. */
  #stopWaiting(): boolean {
    if (this.listensTo === undefined) return false
    this.listensTo.delete(this)
    return true
  }

  /** Handles the value that a link returned. Reading the value may throw. */
  #read(returned: unknown): void {
    let isCall: boolean
    try {
      isCall = returned instanceof Call
      if (!isCall) this.#check(returned)
    } catch (error) {
      return this.#fail(error)
    }
    if (isCall) this.#options.sendNext(returned as Call<unknown>, this)
    else this.#proceed(returned)
  }

  #check(returned: unknown): void {
    if (returned !== skip && !isChain(returned) && !(Array.isArray(returned) && returned.some(isItem))) return
    const found = returned === skip ? 'skip' : isChain(returned) ? 'a chain' : 'several calls'
    throw new TypeError(
      `${labelOf(this.#options.step)}: function ${this.#values.length} of a chain returned ${found}: ` +
        'return one call or a value',
    )
  }

  #end(value: unknown): void {
    try {
      if (this.#options.step.isFrozen) deepFreeze(value)
    } catch (error) {
      return this.#fail(error)
    }
    this.#completion.resolve(this.#index, value, this.#stale, false)
  }

  #fail(error: unknown): void {
    const failure = upstreamInputError(error)
    if (failure !== undefined) this.#options.run.callRefused(this.#options.step, failure)
    this.#completion.reject(this.#index, failure ?? error)
  }
}
