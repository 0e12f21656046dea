import { UpstreamError, type ErrorCode } from '../errors.ts'
import { Abort } from '../core/abort.ts'
import type { Cached } from '../upstream/spec/answer.ts'
import { Call, LiveCall } from '../upstream/call/call.ts'
import type { UpstreamSpec } from '../upstream/spec/spec.ts'
import { closeUnsent } from '../upstream/call/write-body/stream-body.ts'
import { deepFreeze } from '../core/freeze.ts'
import { skip } from './aggregate.ts'
import { answerOf, lateAsk, overLimit } from './ask.ts'
import { AskedCalls, type AnswerCompletion } from './asked-calls.ts'
import { callsPerRequest } from './batched-calls.ts'
import { startCallGroup, type CallCompletion, type CallGroup, type SendCall, type SendItem } from './call-group.ts'
import { countByUpstream, readCallList } from './call-list.ts'
import { isChain, isItem, type Item } from './chain.ts'
import { chainSender } from './chain-sender.ts'
import type { CallCounts } from './events.ts'
import { findCall } from './held-call.ts'
import { invoke } from './invoke.ts'
import { isThenable } from './is-thenable.ts'
import type { State } from './outcome.ts'
import { nothingYet, type PartialValue } from './partial-values.ts'
import { PageRun } from './page-run.ts'
import { PendingCall } from './pending-call.ts'
import type { RunHandle } from './run-handle.ts'
import { itemListener } from './run-progress.ts'
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

  /** Sends a call for the step's function, which awaits its answer. */
  ask(call: unknown): Promise<unknown> {
    return answerOf(call, (checked, completion) => this.#sendAsked(checked, completion))
  }

  #sendAsked(call: Call<unknown>, completion: AnswerCompletion): void {
    const { abort, step } = this
    // context() may pass `ask` to the steps.
    if (step.index < 0) this.#run.contextCallStarted()
    else if (this.#phase !== 'invoked') {
      closeUnsent(call)
      return completion.reject(
        this.#run.hasFailed || abort.reason instanceof UpstreamError ? abort.reason : lateAsk(step),
      )
    }
    const asked = this.#asked ?? this.#startAsking()
    const error = overLimit(step, asked, this.#hasUpstreamInput)
    if (error === undefined) return asked.send(call, completion)
    closeUnsent(call)
    completion.reject(error)
  }

  /** The calls that the function has asked; undefined if it has asked none. */
  get #asked(): AskedCalls | undefined {
    return this.#group instanceof AskedCalls ? this.#group : undefined
  }

  #startAsking(): AskedCalls {
    const { step } = this
    const abort = step.index < 0 ? this.abort : new Abort()
    if (abort !== this.abort) this.abort.add(abort)
    if (this.abort.aborted) abort.abort(this.abort.reason)
    const send: SendCall = (call, index, completion) => this.#dispatch(call, index, completion, abort, false)
    const asked = new AskedCalls(send, step.concurrency, abort)
    this.#group = asked
    return asked
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
    this.#asked?.rejectAll(this.#run.abort.reason)
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

  /** Returns the value so far of a step that has not ended; undefined if it has neither a value nor a fallback. */
  soFar(): PartialValue | undefined {
    const { kind, fallback, minSuccess } = this.step
    if (kind === 'optional') return { value: fallback, arrived: 0 }
    return this.#group?.soFar() ?? (minSuccess === 0 ? nothingYet : undefined)
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
    // context() may have passed `ask` to the steps.
    if (this.step.index >= 0) this.#asked?.end(abort, stepEnded)
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
    if (this.#phase !== 'invoked' || this.#run.isClosed) {
      if (returned instanceof Call) closeUnsent(returned)
      return
    }
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
    else this.#takeValue(returned)
  }

  #sendOne(call: Call<unknown>): void {
    const { index } = this.step
    if (index < 0) this.#run.contextCallStarted()
    const asked = this.#asked ?? (index < 0 ? this.#startAsking() : undefined)
    if (asked === undefined) this.#send(call, 0, this)
    else
      asked.send(call, {
        resolve: value => this.#take(value),
        reject: error => this.#settleFailure(error),
      })
  }

  #skip(): void {
    const { kind, fallback, index } = this.step
    const tally = this.#asked?.tally()
    if (kind === 'optional') this.#end(fallback, 'skipped', undefined, tally)
    else if (kind === 'each' || kind === 'pages') this.#end([], 'skipped', undefined, tally ?? noCalls)
    else if (index < 0) this.#failWithBug('context() cannot skip: return a value or a call')
    else this.#failWithBug(`${labelOf(this.step)} is ${kind} and cannot skip: make it optional`)
  }

  /** Ends the step with a value that its function returned. The value cannot have a call at its first level. */
  #takeValue(value: unknown): void {
    const call = Array.isArray(value) ? undefined : findCall(value, 1)
    if (call === undefined) this.#take(value)
    else this.#failWithBug(`${labelOf(this.step)} returned an object with the call ${call}: use await ask(call)`)
  }

  /** Ends the step with a value that its function returned, or with the answer to a call that it returned. */
  #take(value: unknown): void {
    try {
      if (this.step.isFrozen) deepFreeze(value)
    } catch (error) {
      return this.#settleFailure(error)
    }
    const asked = this.#asked
    if (asked === undefined) this.#end(value, 'ok')
    else {
      const { state, code, tally } = asked.outcome(this.step.index < 0)
      this.#end(value, state, code, tally)
    }
  }

  #sendAll(returned: unknown): void {
    const { step } = this
    const { kind, count } = step
    const asked = this.#asked
    let calls: readonly Item[]
    try {
      calls = readCallList(step, returned, this.#hasUpstreamInput)
    } catch (error) {
      // A list that violates its bounds fails the step. `minSuccess` tolerates only failed calls.
      return this.#fail(error)
    }
    const omitted = (returned as readonly unknown[]).length - calls.length
    this.#callCount = calls.length
    this.#countByUpstream = countByUpstream(calls)
    const group = startCallGroup({
      step,
      calls,
      omitted,
      send:
        asked === undefined
          ? this.#senderOf(calls)
          : asked.sendOfList(this.#senderOf(calls, asked.count), callsPerRequest(calls)),
      done: (values, tally, isStale) => {
        const isPartial = kind === 'each' && (tally.failed.length > 0 || omitted > 0)
        const state = isPartial ? 'partial' : isStale || asked?.isStale === true ? 'stale' : 'ok'
        this.#end(
          kind === 'firstOf' && count === 1 ? values[0] : values,
          state,
          undefined,
          asked?.tally(tally) ?? tally,
        )
      },
      fail: (error, tally) => {
        if (!this.#hasEnded) this.#fail(this.#attribute(error), asked?.tally(tally) ?? tally)
      },
      itemEnded: kind === 'each' ? itemListener(this.#run, step) : undefined,
    })
    if (asked === undefined) this.#group = group
    else asked.list = group
  }

  #sendPages(returned: unknown, args: object): void {
    const { step, abort } = this
    const asked = this.#asked
    const send = this.#send as SendItem
    const pages = new PageRun({
      step,
      run: this.#run,
      abort,
      args,
      send: asked === undefined ? send : asked.sendOfList(send),
      done: (values, tally, state) =>
        this.#end(
          values,
          state === 'ok' && asked?.isStale === true ? 'stale' : state,
          undefined,
          asked?.tally(tally) ?? tally,
        ),
      fail: (error, tally) => {
        if (!this.#hasEnded) this.#fail(this.#attribute(error), asked?.tally(tally) ?? tally)
      },
    })
    if (asked === undefined) this.#group = pages
    else asked.list = pages
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

  /** Returns the function that sends the items of a list. A list without chains has only calls. */
  #senderOf(items: readonly Item[], first = 0): SendItem {
    if (!items.some(isChain)) return this.#send as SendItem
    const { step, abort } = this
    return chainSender({ step, run: this.#run, abort, next: first + items.length, send: this.#send })
  }

  readonly #send = (
    call: Call<unknown>,
    index: number,
    completion: CallCompletion,
    isFrozen = this.step.isFrozen,
    siblings?: number,
  ): void => {
    // A call of the list may wait for the end of an asked call, which the end of the step aborts.
    if (!this.#hasEnded) this.#dispatch(call, index, completion, this.abort, isFrozen, siblings)
  }

  #dispatch(
    call: Call<unknown>,
    index: number,
    completion: CallCompletion,
    abort: Abort,
    isFrozen: boolean,
    siblings = this.#siblingsOf(call.spec.upstream),
  ): void {
    const { step } = this
    const { upstream } = call.spec
    this.#run.reads?.addForwarded(upstream)
    const pending = new PendingCall(this, this.#run, call.spec, isFrozen, index, completion)
    if (!call.spec.safe) {
      this.#unsafeCalls++
      this.#run.unsafeCallStarted()
    }
    if (abort.aborted) {
      closeUnsent(call)
      pending.reject(abort.reason)
    } else this.#run.send(new LiveCall(call, abort, this.#run, step.index, index, siblings), pending)
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
    if (kind === 'optional') this.#end(fallback, 'fallback', failure.code, this.#asked?.failureTally())
    else if (minSuccess === 0) this.#end([], 'fallback', failure.code, this.#asked?.tally() ?? noCalls)
    else this.#fail(failure)
  }

  /** True if an answer of an upstream may be the input of a call. Otherwise it can only come from the caller. */
  get #hasUpstreamInput(): boolean {
    return this.step.needs.length > 0 || this.#asked?.hasAnswer === true
  }

  /** Attributes an invalid call input to the upstream if it may come from one. */
  #attribute(error: unknown): unknown {
    return error instanceof UpstreamError && error.code === 'CALL_INPUT_INVALID' && this.#hasUpstreamInput
      ? new UpstreamError('UPSTREAM_CALL_INPUT_INVALID', error.source, { cause: error })
      : error
  }

  #failWithBug(message: string): void {
    this.#fail(new TypeError(message))
  }

  #fail(error: unknown, tally = this.#asked?.failureTally()): void {
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
