import { UpstreamError, type ErrorCode } from '../errors.ts'
import { Abort } from '../core/abort.ts'
import type { Cached } from '../upstream/spec/answer.ts'
import { Call, LiveCall } from '../upstream/call/call.ts'
import type { UpstreamSpec } from '../upstream/spec/spec.ts'
import { deepFreeze } from '../core/freeze.ts'
import { skip } from './aggregate.ts'
import { startCallGroup, type CallCompletion, type CallGroup, type SendItem } from './call-group.ts'
import { countByUpstream, readCallList } from './call-list.ts'
import { isChain, isItem, type Item } from './chain.ts'
import { chainSender } from './chain-sender.ts'
import { ContextCalls, type AnswerCompletion } from './context-calls.ts'
import type { CallCounts } from './events.ts'
import { invoke } from './invoke.ts'
import { isThenable } from './is-thenable.ts'
import type { State } from './outcome.ts'
import { PageRun } from './page-run.ts'
import { PendingCall } from './pending-call.ts'
import type { RunHandle } from './run-handle.ts'
import { hasSeveralCalls, labelOf, type Step } from './step.ts'

/** The reason for which the remaining calls of a step are aborted when it has ended. All runs share this error. */
const stepEnded = new DOMException('the step has ended', 'AbortError')

/** The codes of calls that are refused for their input and are never sent. */
const inputFaults: ReadonlySet<ErrorCode> = new Set(['CALL_INPUT_INVALID', 'UPSTREAM_CALL_INPUT_INVALID'])

const noCalls: CallCounts = Object.freeze({ calls: 0, ok: 0, failed: Object.freeze([]) })

/**
 * One step of one run: invokes its function, sends the calls that it returns, and ends once, with a value or an error.
 */
export class StepRun implements CallCompletion {
  readonly step: Step
  /**
   * The step waits for its needs, its start is being reported, its function has not returned, its calls are in flight,
   * its remaining calls are being aborted, or the end of the step has been reported. A listener of an event may cancel
   * the run in each of these phases.
   */
  #phase: 'waiting' | 'ready' | 'invoked' | 'calling' | 'ending' | 'ended' = 'waiting'
  /** The number of needs that have no value yet. */
  pendingNeeds: number
  value: unknown
  /** The number of unsafe calls in flight. A failing run waits for them. */
  #unsafeCalls = 0
  /** Aborts only this step if it has a timeout, or may end before its calls. Otherwise it is the abort of the run. */
  readonly abort: Abort
  readonly #run: RunHandle
  #timer: NodeJS.Timeout | undefined
  #group: CallGroup | undefined
  #callCount = 1
  /** The number of calls to each upstream, if the calls of the step are to several upstreams. */
  #countByUpstream: ReadonlyMap<UpstreamSpec, number> | undefined

  constructor(step: Step, run: RunHandle) {
    this.step = step
    this.pendingNeeds = step.needs.length
    this.#run = run
    const endsEarly = step.kind === 'firstOf' || step.kind === 'pages'
    this.abort = step.timeout === undefined && !endsEarly ? run.abort : new Abort()
  }

  /** Called before the start of the step is reported. From then on, `cancel` ends the step. */
  prepare(): void {
    this.#phase = 'ready'
  }

  /** Invokes the step's function. */
  start(args: object): void {
    const { step, abort } = this
    this.#phase = 'invoked'
    if (this.#run.shedOptional && (step.kind === 'optional' || step.minSuccess === 0))
      return this.#settleFailure(new UpstreamError('SHED', step.name))
    if (abort !== this.#run.abort) this.#run.abort.add(abort)
    // A step that becomes ready after the deadline is still invoked, but its calls must not be sent.
    if (this.#run.abort.aborted) abort.abort(this.#run.abort.reason)
    if (step.timeout !== undefined)
      this.#timer = setTimeout(() => this.#onTimeout(step.timeout as number), step.timeout)

    let returned: unknown
    let isAsync: boolean
    try {
      returned = invoke(this.#run, step.handler, args, abort, step)
      isAsync = isThenable(returned)
    } catch (error) {
      return this.#settleFailure(error)
    }
    if (!isAsync) return this.#proceed(returned, args)
    // A thenable may throw, or call back twice; Promise.resolve guards against both.
    Promise.resolve(returned).then(
      value => this.#proceed(value, args),
      error => this.#settleFailure(error),
    )
    // After the deadline the step does not wait for the promise.
    if (this.#run.isExpired) this.#settleFailure(this.#run.abort.reason)
  }

  /**
   * Adds `ask` to the arguments of context(): the function may send calls and wait for their answers, whereas a step
   * returns its calls.
   */
  withAsk(args: object): object {
    const ask = (call: unknown) => {
      const answer = new Promise((resolve, reject) => {
        if (call instanceof Call) this.#sendForContext(call, { resolve, reject })
        else reject(new TypeError('ask takes a call: ask(upstream.operation(input))'))
      })
      // The answer may fail while the function awaits another answer. Without this handler the rejection is unhandled
      // and ends the process. The code that awaits the answer later still gets the error.
      answer.catch(() => {})
      return answer
    }
    return Object.assign(args, { ask })
  }

  /** Sends a call that context() passes to `ask` or returns. */
  #sendForContext(call: Call<unknown>, completion: AnswerCompletion): void {
    this.#run.contextCallStarted()
    const calls = this.#contextCalls ?? new ContextCalls(this.#send)
    this.#group = calls
    calls.send(call, completion)
  }

  get #contextCalls(): ContextCalls | undefined {
    return this.#group instanceof ContextCalls ? this.#group : undefined
  }

  /** Ends the step if its function has not returned. Calls that were aborted end by themselves. */
  abortPending(reason: UpstreamError): void {
    if (this.#phase === 'invoked') this.#settleFailure(reason)
  }

  /** Ends the step at the deadline, even if some of its calls did not end when they were aborted. */
  expire(reason: UpstreamError): void {
    this.#unsafeCalls = 0
    this.#forceSettle(reason)
  }

  /** Ends the step without a value. Returns false if it is not running, or has unsafe calls in flight. */
  cancel(): boolean {
    if (this.#phase === 'ended' || this.#phase === 'waiting' || this.#unsafeCalls > 0) return false
    if (this.#phase !== 'ending') this.#release()
    return this.#report()
  }

  /**
   * Drops the value: a run that queued is tenured and would retain young objects until the next major GC
   * (docs/performance.md).
   */
  releaseValue(): void {
    this.value = undefined
    this.#group = undefined
  }

  unsafeCallEnded(): void {
    // After the deadline the run does not wait for this call any more.
    if (this.#unsafeCalls === 0) return
    this.#unsafeCalls--
    this.#run.unsafeCallEnded()
  }

  #forceSettle(reason: UpstreamError): void {
    if (this.#phase !== 'calling') return
    if (this.#group === undefined) this.#settleFailure(reason)
    else this.#group.forceSettle(reason)
  }

  /** Clears the timer, and aborts calls that are no longer awaited. */
  #release(): void {
    this.#phase = 'ending'
    clearTimeout(this.#timer)
    const { abort } = this
    if (abort === this.#run.abort) return
    abort.abort(stepEnded)
    // Unsafe calls that were sent continue, and the deadline must still abort them.
    if (abort.size === 0) this.#run.abort.delete(abort)
  }

  get #hasEnded(): boolean {
    return this.#phase === 'ending' || this.#phase === 'ended'
  }

  /** Returns false if the end of the step has already been reported, because the run was cancelled in `#release`. */
  #report(): boolean {
    if (this.#phase === 'ended') return false
    this.#phase = 'ended'
    return true
  }

  #onTimeout(ms: number): void {
    const reason = new UpstreamError('STEP_TIMEOUT', this.step.name, { detail: `the limit is ${ms} ms` })
    this.abort.abort(reason)
    this.abortPending(reason)
    setImmediate(() => {
      if (this.#unsafeCalls === 0) this.#forceSettle(reason)
    })
  }

  /** Handles the value that the step's function returned. Reading the value may throw. */
  #proceed(returned: unknown, args: object): void {
    try {
      this.#read(returned, args)
    } catch (error) {
      // If the step has already ended, the error was not caused by its value.
      if (this.#hasEnded) throw error
      this.#settleFailure(error)
    }
  }

  #read(returned: unknown, args: object): void {
    if (this.#phase !== 'invoked' || this.#run.isClosed) return
    const { kind } = this.step
    this.#phase = 'calling'
    if (returned === skip) return this.#skip()
    if (kind === 'pages') return this.#sendPages(returned, args)
    if (hasSeveralCalls(kind)) return this.#sendAll(returned)
    if (returned instanceof Call) this.#sendOne(returned)
    else if (isChain(returned)) this.#failWithBug(`${labelOf(this.step)} returned a chain: use each, and return a list`)
    else if (Array.isArray(returned) && returned.some(isItem))
      this.#failWithBug(
        `${labelOf(this.step)} returned several calls: use ${this.step.index < 0 ? 'ask' : 'each or firstOf'}`,
      )
    else this.#take(returned)
  }

  #sendOne(call: Call<unknown>): void {
    if (this.step.index >= 0) this.#send(call, 0, this)
    else
      this.#sendForContext(call, {
        resolve: value => this.#take(value),
        reject: error => this.#settleFailure(error),
      })
  }

  #skip(): void {
    const { kind, fallback, index } = this.step
    if (kind === 'optional') this.#end(fallback, 'skipped')
    else if (kind === 'each' || kind === 'pages') this.#end([], 'skipped', undefined, noCalls)
    else if (index < 0) this.#failWithBug('context() cannot skip: return a value or a call')
    else this.#failWithBug(`${labelOf(this.step)} is ${kind} and cannot skip: make it optional`)
  }

  /** Ends the step with a value that its function returned, or with the answer to the call that context() returned. */
  #take(value: unknown): void {
    try {
      if (this.step.isFrozen) deepFreeze(value)
    } catch (error) {
      return this.#settleFailure(error)
    }
    const calls = this.#group === undefined ? undefined : this.#contextCalls
    if (calls === undefined) this.#end(value, 'ok')
    else {
      const { state, code, tally } = calls.end()
      this.#end(value, state, code, tally)
    }
  }

  #sendAll(returned: unknown): void {
    const { step, abort } = this
    const { kind, count } = step
    let calls: readonly Item[]
    try {
      calls = readCallList(step, returned)
    } catch (error) {
      // A list that violates its bounds fails the step. `minSuccess` tolerates only failed calls.
      return this.#fail(error)
    }
    const omitted = (returned as readonly unknown[]).length - calls.length
    this.#callCount = calls.length
    this.#countByUpstream = countByUpstream(calls)
    this.#group = startCallGroup({
      step,
      calls,
      omitted,
      // A list without chains has only calls.
      send: calls.some(isChain)
        ? chainSender({ step, run: this.#run, abort, count: calls.length, send: this.#send })
        : (this.#send as SendItem),
      done: (values, tally, isStale) => {
        const isPartial = kind === 'each' && (tally.failed.length > 0 || omitted > 0)
        const state = isPartial ? 'partial' : isStale ? 'stale' : 'ok'
        this.#end(kind === 'firstOf' && count === 1 ? values[0] : values, state, undefined, tally)
      },
      fail: (error, tally) => {
        if (!this.#hasEnded) this.#fail(this.#attribute(error), tally)
      },
    })
  }

  #sendPages(returned: unknown, args: object): void {
    const { step, abort } = this
    const pages = new PageRun({
      step,
      run: this.#run,
      abort,
      args,
      send: this.#send,
      done: (values, tally, state) => this.#end(values, state, undefined, tally),
      fail: (error, tally) => {
        if (!this.#hasEnded) this.#fail(this.#attribute(error), tally)
      },
    })
    this.#group = pages
    pages.start(returned)
  }

  /** Ends a step that makes one call with the answer to that call. */
  resolve(_index: number, value: unknown, cached: Cached | undefined): void {
    if (cached?.insteadOf === undefined) this.#end(value, 'ok')
    else this.#end(value, 'stale', cached.insteadOf.code)
  }

  reject(_index: number, error: unknown): void {
    this.#settleFailure(error)
  }

  readonly #send = (
    call: Call<unknown>,
    index: number,
    completion: CallCompletion,
    isFrozen = this.step.isFrozen,
    siblings = this.#siblingsOf(call.spec.upstream),
  ): void => {
    const { abort, step } = this
    const { upstream } = call.spec
    this.#run.reads?.addForwarded(upstream)
    const pending = new PendingCall(this, this.#run, call.spec, isFrozen, index, completion)
    if (!call.spec.safe) {
      this.#unsafeCalls++
      this.#run.unsafeCallStarted()
    }
    if (abort.aborted) pending.reject(abort.reason)
    else this.#run.send(new LiveCall(call, abort, this.#run, step.index, index, siblings), pending)
  }

  /** Returns the number of calls of the step to an upstream. */
  #siblingsOf(upstream: UpstreamSpec): number | undefined {
    return this.#countByUpstream === undefined ? this.#callCount : this.#countByUpstream.get(upstream)
  }

  /** Ends the step with its fallback if it has one and the error is an `UpstreamError`. Otherwise fails the run. */
  #settleFailure(error: unknown): void {
    if (this.#hasEnded) return
    const failure = this.#attribute(error)
    const { kind, fallback, minSuccess } = this.step
    if (!(failure instanceof UpstreamError)) return this.#fail(failure)
    if (inputFaults.has(failure.code)) this.#run.callRefused(this.step, failure)
    if (kind === 'optional') this.#end(fallback, 'fallback', failure.code)
    else if (minSuccess === 0) this.#end([], 'fallback', failure.code, noCalls)
    else this.#fail(failure)
  }

  /**
   * Attributes an invalid call input to the upstream if the step has needs. Without needs the input can only come from
   * the caller.
   */
  #attribute(error: unknown): unknown {
    return error instanceof UpstreamError && error.code === 'CALL_INPUT_INVALID' && this.step.needs.length > 0
      ? new UpstreamError('UPSTREAM_CALL_INPUT_INVALID', error.source, { cause: error })
      : error
  }

  #failWithBug(message: string): void {
    this.#fail(new TypeError(message))
  }

  #fail(error: unknown, tally = this.#contextCalls?.failureTally()): void {
    this.#release()
    if (this.#report()) this.#run.stepFailed(error, this.step, tally)
  }

  #end(value: unknown, state: State, code?: ErrorCode, tally?: CallCounts): void {
    if (this.#hasEnded) return
    this.value = this.step.isFrozen && this.step.kind === 'each' ? Object.freeze(value) : value
    this.#release()
    if (this.#report()) this.#run.stepEnded(this.step, this.value, state, code, tally)
  }
}
