import { UpstreamError, type ErrorCode } from '../errors.ts'
import { Abort } from '../core/abort.ts'
import { AskedCalls } from './asked-calls.ts'
import type { CallGroup } from './call-group.ts'
import type { CallCounts } from './events.ts'
import type { State } from './outcome.ts'
import { nothingYet, type PartialValue } from './partial-values.ts'
import type { RunHandle } from './run-handle.ts'
import type { Step } from './step.ts'
import { upstreamInputError } from './upstream-input.ts'

/** The reason for which the remaining calls of a step are aborted when it has ended. All runs share this error. */
const stepEnded = new DOMException('the step has ended', 'AbortError')

/** The codes of calls that are refused for their input and are never sent. */
const inputFaults: ReadonlySet<ErrorCode> = new Set(['CALL_INPUT_INVALID', 'UPSTREAM_CALL_INPUT_INVALID'])

export const noCalls: CallCounts = Object.freeze({ calls: 0, ok: 0, failed: Object.freeze([]) })

/**
 * The phases of one step of one run. The step ends once: with a value, with an error, at its timeout, or with its run.
 * `StepSender` adds its calls and `StepRun` adds its function, so that a step is one object.
 */
export abstract class StepPhases {
  readonly step: Step
  /** Aborts only this step if it has a timeout, or may end before its calls. Otherwise it is the abort of the run. */
  readonly abort: Abort
  /** The number of needs that have no value yet. */
  pendingNeeds: number
  value: unknown = undefined
  protected readonly run: RunHandle
  /** The calls that the function has asked, or those of the list that it has returned. */
  protected group: CallGroup | undefined = undefined
  /**
   * The step waits for its needs, its start is being reported, its function has not returned, its calls are in flight,
   * its remaining calls are being aborted, or the end of the step has been reported. A listener of an event may cancel
   * the run in each of these phases.
   */
  #phase: 'waiting' | 'ready' | 'invoked' | 'calling' | 'ending' | 'ended' = 'waiting'
  /** The number of unsafe calls in flight. A failing run waits for them. */
  #unsafeCalls = 0
  #timer: NodeJS.Timeout | undefined

  constructor(step: Step, run: RunHandle) {
    this.step = step
    this.pendingNeeds = step.needs.length
    this.run = run
    const endsEarly = step.kind === 'firstOf' || step.kind === 'pages'
    this.abort = step.timeout === undefined && !endsEarly ? run.abort : new Abort()
  }

  /** Called before the start of the step is reported. From then on, `cancel` ends the step. */
  prepare(): void {
    this.#phase = 'ready'
  }

  /** Called before the function is invoked. Returns false if the step is shed: it has then ended. */
  protected begin(): boolean {
    const { step, abort, run } = this
    this.#phase = 'invoked'
    if (run.shedOptional && (step.kind === 'optional' || step.minSuccess === 0)) {
      this.settleFailure(new UpstreamError('SHED', step.name))
      return false
    }
    if (abort !== run.abort) run.abort.add(abort)
    // A step that becomes ready after the deadline is still invoked, but its calls must not be sent.
    if (run.abort.aborted) abort.abort(run.abort.reason)
    if (step.timeout !== undefined)
      this.#timer = setTimeout(() => this.#onTimeout(step.timeout as number), step.timeout)
    return true
  }

  /** Called when the function has returned, before its calls are sent. */
  protected beginCalls(): void {
    this.#phase = 'calling'
  }

  /** True if the function has not returned. */
  protected get isInvoked(): boolean {
    return this.#phase === 'invoked'
  }

  protected get hasEnded(): boolean {
    return this.#phase === 'ending' || this.#phase === 'ended'
  }

  /** The calls that the function has asked; undefined if it has asked none. */
  protected get asked(): AskedCalls | undefined {
    return this.group instanceof AskedCalls ? this.group : undefined
  }

  /** True if an answer of an upstream may be the input of a call. Otherwise it can only come from the caller. */
  protected get hasUpstreamInput(): boolean {
    return this.step.needs.length > 0 || this.asked?.hasAnswer === true
  }

  protected unsafeCallStarted(): void {
    this.#unsafeCalls++
    this.run.unsafeCallStarted()
  }

  unsafeCallEnded(): void {
    // After the deadline the run does not wait for this call any more.
    if (this.#unsafeCalls === 0) return
    this.#unsafeCalls--
    this.run.unsafeCallEnded()
  }

  /** Returns the value so far of a step that has not ended; undefined if it has neither a value nor a fallback. */
  soFar(): PartialValue | undefined {
    const { kind, fallback, minSuccess } = this.step
    if (kind === 'optional') return { value: fallback, arrived: 0 }
    return this.group?.soFar() ?? (minSuccess === 0 ? nothingYet : undefined)
  }

  /** Ends the step if its function has not returned. Calls that were aborted end by themselves. */
  abortPending(reason: UpstreamError): void {
    if (this.isInvoked) this.settleFailure(reason)
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
    this.asked?.rejectAll(this.run.abort.reason)
    return this.#report()
  }

  /**
   * Drops the value: a run that queued is tenured and would retain young objects until the next major GC
   * (docs/performance.md).
   */
  releaseValue(): void {
    this.value = undefined
    this.group = undefined
  }

  /** Ends the step with its fallback if it has one and the error is an `UpstreamError`. Otherwise fails the run. */
  protected settleFailure(error: unknown): void {
    if (this.hasEnded) return
    const failure = this.attribute(error)
    const { kind, fallback, minSuccess } = this.step
    if (!(failure instanceof UpstreamError)) return this.fail(failure)
    if (inputFaults.has(failure.code)) this.run.callRefused(this.step, failure)
    if (kind === 'optional') this.end(fallback, 'fallback', failure.code, this.asked?.failureTally())
    else if (minSuccess === 0) this.end([], 'fallback', failure.code, this.asked?.tally() ?? noCalls)
    else this.fail(failure)
  }

  /** Attributes an invalid call input to the upstream if it may come from one. */
  protected attribute(error: unknown): unknown {
    return (this.hasUpstreamInput ? upstreamInputError(error) : undefined) ?? error
  }

  protected fail(error: unknown, tally = this.asked?.failureTally()): void {
    this.#release()
    if (this.#report()) this.run.stepFailed(error, this.step, tally)
  }

  protected end(value: unknown, state: State, code?: ErrorCode, tally?: CallCounts): void {
    if (this.hasEnded) return
    this.value = this.step.isFrozen && this.step.kind === 'each' ? Object.freeze(value) : value
    this.#release()
    if (this.#report()) this.run.stepEnded(this.step, this.value, state, code, tally)
  }

  #onTimeout(ms: number): void {
    const reason = new UpstreamError('STEP_TIMEOUT', this.step.name, { detail: `the limit is ${ms} ms` })
    this.abort.abort(reason)
    this.abortPending(reason)
    setImmediate(() => {
      if (this.#unsafeCalls === 0) this.#forceSettle(reason)
    })
  }

  #forceSettle(reason: UpstreamError): void {
    if (this.#phase !== 'calling') return
    if (this.group === undefined) this.settleFailure(reason)
    else this.group.forceSettle(reason)
  }

  /** Clears the timer, and aborts calls that are no longer awaited. */
  #release(): void {
    this.#phase = 'ending'
    clearTimeout(this.#timer)
    const { abort, run } = this
    // context() may have passed `ask` to the steps.
    if (this.step.index >= 0) this.asked?.end(abort, stepEnded)
    if (abort === run.abort) return
    abort.abort(stepEnded)
    // Unsafe calls that were sent continue, and the deadline must still abort them.
    if (abort.size === 0) run.abort.delete(abort)
  }

  /** Returns false if the end of the step has already been reported, because the run was cancelled in `#release`. */
  #report(): boolean {
    if (this.#phase === 'ended') return false
    this.#phase = 'ended'
    return true
  }
}
