import { toProblem, UpstreamError, type ErrorCode } from '../errors.ts'
import { Abort } from '../core/abort.ts'
import type { RunOutcome } from '../metrics/aggregate-metrics.ts'
import { RuntimeMetrics } from '../metrics/runtime-metrics.ts'
import type { Scope } from '../upstream/call/scope.ts'
import type { CallFlow } from '../upstream/call/flow.ts'
import { sendOf, type Send } from '../upstream/call/layer.ts'
import type { Runtime } from '../upstream/runtime.ts'
import type { AnyAggregate } from './aggregate.ts'
import { checkedProblem } from './declared-problems.ts'
import type { CallCounts } from './events.ts'
import type { ReadInput } from './input.ts'
import { currentInvocation, type Invocation } from './offload/invocation.ts'
import { codeOf, type State } from './outcome.ts'
import { ObservedRun } from './observed-run.ts'
import type { HeaderReadTracker } from './reads.ts'
import { partialValues, type PartialValues } from './partial-values.ts'
import { ReplyBuilder, type ReplyTarget } from './reply-builder.ts'
import type { Reply } from './reply.ts'
import type { HandlerOwner, RunHandle } from './run-handle.ts'
import type { RunCompletion, RunStartOptions } from './run-options.ts'
import { Phase } from './run-phase.ts'
import { rehearsedSend } from './rehearsal/rehearsed-send.ts'
import { StepArgs, type ArgsOwner } from './step-args.ts'
import { StepRun } from './step-run.ts'
import { labelOf, type Step } from './step.ts'

interface Failure {
  readonly error: unknown
  /** The name of the step that failed. */
  readonly step: string | undefined
  readonly isCancel: boolean
}

/** The limit on the time of an async merge that starts after the deadline, together with onReply(), in ms. */
const gracePeriod = 25

/**
 * The reason for which the calls in progress are aborted when the run fails. It is not the failure itself, because the
 * failure would count against the upstreams of these calls, and the log would name these upstreams as its cause.
 */
const runFailed = new DOMException('the run has failed', 'AbortError')

/** The reason for which everything that is still in progress is aborted when the run has settled. */
const runEnded = new DOMException('the run has ended', 'AbortError')

/**
 * One execution of an aggregate: calls the function of context(), starts each step when its needs have values, merges
 * the values, and settles once. Its phases and their transitions are in run-phase.ts.
 */
export class Run extends ObservedRun implements RunHandle, ReplyTarget {
  readonly abort = new Abort()
  readonly send: Send
  /** True if faults act on its calls, so that its reply must not be stored. */
  readonly isRehearsed: boolean
  readonly deadline: number
  readonly shedOptional: boolean
  readonly reads: HeaderReadTracker | undefined
  readonly admitted = new Map<object, object>()
  readonly flow: CallFlow
  context: unknown = undefined
  readonly #aggregate: AnyAggregate
  readonly #runtime: Runtime
  readonly #input: ReadInput
  readonly #stepRuns: readonly StepRun[]
  /** The function of context(). It has events and an outcome only if it makes a call or fails. */
  readonly #contextRun: StepRun | undefined
  #pendingSteps: number
  /** Unsafe calls in flight, of all steps. */
  #unsafeCalls = 0
  #deadlineTimer: NodeJS.Timeout | undefined
  #graceTimer: NodeJS.Timeout | undefined
  /** The first failure, from `aborting` on. */
  #failure: Failure | undefined
  #completion!: RunCompletion

  constructor(
    aggregate: AnyAggregate,
    input: ReadInput,
    headers: Scope['headers'],
    options: RunStartOptions,
    reads?: HeaderReadTracker,
  ) {
    super(aggregate, headers, options)
    const { runtime, deadline = Infinity, shedOptional = false, rehearsal, flow = aggregate.route.flow } = options
    this.#aggregate = aggregate
    this.#runtime = runtime
    this.#input = input
    const send = runtime.send.send ?? sendOf(call => runtime.send(call))
    this.isRehearsed = rehearsal !== undefined
    this.send =
      rehearsal === undefined
        ? send
        : rehearsedSend(send, rehearsal, RuntimeMetrics.countersOf(runtime).attemptTimeoutOf)
    this.reads = reads
    this.shedOptional = shedOptional
    if (!(deadline > 0))
      throw new TypeError(
        `aggregate '${aggregate.name}': the deadline of a run must be a number of ms above 0, got ${deadline}`,
      )
    this.deadline = Math.min(deadline, aggregate.route.deadline)
    this.flow = flow
    this.#contextRun = aggregate.hooks.context && new StepRun(aggregate.hooks.context, this)
    this.#stepRuns = aggregate.steps.map(step => new StepRun(step, this))
    this.#pendingSteps = this.#stepRuns.length
  }

  /** Starts the run; rejects with a `Problem`, or with the reason of its cancellation. */
  start(): Promise<Reply<unknown, string>> {
    return new Promise((resolve, reject) => this.startFor({ resolve, reject }))
  }

  /** Starts the run, and passes its result to `completion` without a promise. */
  startFor(completion: RunCompletion): void {
    this.#completion = completion
    this.reportStart()
    // onEvent may have cancelled the run.
    if (this.isClosed) return
    this.#deadlineTimer = setTimeout(() => this.#expire(), this.deadline)
    const contextRun = this.#contextRun
    if (contextRun === undefined) return this.#startSteps()
    this.enter(Phase.context)
    this.spans?.stepStarted(-1)
    contextRun.start(this.#createStepArgs([], contextRun))
  }

  /** Returns the values so far; undefined if a step has neither a value nor a fallback, or if all have ended. */
  soFar(): PartialValues | undefined {
    return partialValues(this.#input, this.context, this.#stepRuns, this.recorder)
  }

  get hasFailed(): boolean {
    return this.#failure !== undefined
  }

  /** Cancels the run: its caller no longer waits for the reply. */
  cancel(reason: unknown): void {
    this.#fail(reason, undefined, true)
  }

  #startSteps(): void {
    // The steps start even after the deadline: steps without calls have values, and optional steps use their fallback.
    if (this.phase < Phase.steps) this.enter(Phase.steps)
    if (this.progress !== undefined) {
      this.progress.planned()
      if (this.isClosed) return
    }
    for (const run of this.#stepRuns) if (run.step.needs.length === 0) this.#start(run)
    if (this.#stepRuns.length === 0) this.#merge()
  }

  #start(run: StepRun): void {
    if (this.isClosed) return
    run.prepare()
    this.emit({ type: 'step started', at: this.now(), step: run.step.index })
    // onEvent may have cancelled the run.
    if (this.isClosed) return
    run.start(this.#createStepArgs(run.step.needs, run))
  }

  stepEnded(step: Step, value: unknown, state: State, code?: ErrorCode, tally?: CallCounts): void {
    if (step.index < 0) return this.#contextEnded(value, state, code, tally)
    this.emit({ type: 'step ended', at: this.now(), step: step.index, state, code, tally })
    if (this.progress !== undefined) this.reportProgress(this.progress, step)
    for (const dependent of this.#aggregate.dependents[step.index] as readonly number[]) {
      const waiting = this.#stepRuns[dependent] as StepRun
      if (--waiting.pendingNeeds === 0) this.#start(waiting)
    }
    if (--this.#pendingSteps === 0) this.#merge()
  }

  stepFailed(error: unknown, step: Step, tally?: CallCounts): void {
    if (step.index < 0 && !this.recorder.hasContext) this.contextStarted(0)
    this.emit({ type: 'step ended', at: this.now(), step: step.index, state: 'failed', code: codeOf(error), tally })
    // The failure of context() precedes the plan.
    if (this.progress !== undefined && step.index >= 0) this.reportProgress(this.progress, step)
    this.#fail(error, step.name)
  }

  contextCallStarted(): void {
    if (this.recorder.hasContext || this.abort.aborted) return
    if (this.phase === Phase.context) return this.contextStarted(0)
    // The function of context() has passed `ask` to other code, which makes the first call after context() has ended.
    this.contextStarted(this.now())
    this.reportContextEnd('ok', undefined, undefined)
    if (this.progress !== undefined) this.reportProgress(this.progress, this.#aggregate.hooks.context as Step)
  }

  callRefused({ index }: Step, error: UpstreamError): void {
    this.recorder.addLost(index, error.source, error)
  }

  #contextEnded(value: unknown, state: State, code: ErrorCode | undefined, tally: CallCounts | undefined): void {
    if (this.recorder.hasContext) this.reportContextEnd(state, code, tally)
    else this.spans?.stepEnded(-1, state, code)
    this.context = value
    this.#startSteps()
  }

  unsafeCallStarted(): void {
    this.#unsafeCalls++
  }

  unsafeCallEnded(): void {
    this.#unsafeCalls--
    if (this.phase === Phase.failed) this.#settleFailure()
    else if (this.phase === Phase.done && this.#unsafeCalls === 0) clearTimeout(this.#deadlineTimer)
  }

  invoke(handler: (args: never) => unknown, args: object, abort: Abort, owner: HandlerOwner): unknown {
    const invocation: Invocation = {
      runtime: this.#runtime,
      abort,
      owner: `aggregate '${this.#aggregate.name}', ${typeof owner === 'string' ? owner : labelOf(owner)}`,
      startsAfterAbort: this.phase === Phase.replyingLate,
    }
    return currentInvocation.run(invocation, handler, args as never)
  }

  createArgs(): StepArgs {
    return this.#createStepArgs([], this)
  }

  /** Returns the input and the context, with the values of some steps under their names. */
  #createStepArgs(steps: readonly number[], owner: ArgsOwner): StepArgs {
    const args = new StepArgs(this.#input, owner, this.context)
    for (const index of steps) {
      const { step, value } = this.#stepRuns[index] as StepRun
      ;(args as unknown as Record<string, unknown>)[step.name] = value
    }
    return args
  }

  /**
   * Handles the deadline: aborts all calls. Optional steps fall back, and the reply is built from the available values.
   */
  #expire(): void {
    const { name, route } = this.#aggregate
    const verdict = this.deadline < route.deadline ? 'ignored' : 'failed'
    const reason = new UpstreamError('DEADLINE_EXCEEDED', name, {
      detail: `the limit is ${this.deadline} ms`,
      verdict,
    })
    if (this.phase === Phase.replying) this.fail(reason)
    else if (this.phase < Phase.replying) this.enter(Phase.expired)
    // Abort even a run that has failed or settled: its unsafe calls still listen, and only the deadline aborts them.
    this.abort.abort(reason)
    if (this.phase === Phase.done) return
    this.#forEachRun(run => run.abortPending(reason))
    // By then the calls that react to the abort have ended. A layer that ignores its abort must not delay the reply.
    setImmediate(() => {
      this.#forEachRun(run => run.expire(reason))
      // Reset this only after all steps have expired. Otherwise a step that fails could settle the run before the
      // remaining steps have expired.
      this.#unsafeCalls = 0
      if (this.phase === Phase.failed) this.#settleFailure()
    })
  }

  #merge(): void {
    // The run may have been cancelled while an unsafe call ended.
    if (this.isClosed) return
    const isLate = this.isExpired
    this.enter(isLate ? Phase.replyingLate : Phase.replying)
    if (isLate) this.#graceTimer = setTimeout(() => this.fail(this.abort.reason), gracePeriod)
    new ReplyBuilder(this.#aggregate, this.recorder, this).merge(
      this.#createStepArgs(
        this.#aggregate.steps.map(({ index }) => index),
        this,
      ),
    )
  }

  complete(reply: Reply<unknown, string>): void {
    // A function in the reply's schema may have cancelled the run.
    if (this.isClosed) return
    this.#finish(reply.complete ? 'complete' : 'partial', undefined, reply.status ?? 200)
    this.#completion.resolve(reply)
  }

  fail(error: unknown): void {
    this.#fail(error, undefined)
  }

  /** Fails the run with its first failure, and aborts everything else. */
  #fail(error: unknown, step: string | undefined, isCancel = false): void {
    if (this.isClosed) return
    this.enter(Phase.aborting)
    this.#failure = { error, step, isCancel }
    // Calls settle during abort(); the run settles after it. After the deadline, keep the reason of the deadline.
    this.abort.abort(this.abort.aborted ? this.abort.reason : isCancel ? error : runFailed)
    this.enter(Phase.failed)
    this.#settleFailure()
  }

  /**
   * Reports the steps that were cancelled, and rejects when no unsafe call is in flight, because the caller needs the
   * outcome of unsafe calls.
   */
  #settleFailure(): void {
    this.#forEachRun(run => {
      if (!run.cancel() || (run.step.index < 0 && !this.recorder.hasContext)) return
      this.emit({
        type: 'step ended',
        at: this.now(),
        step: run.step.index,
        state: 'cancelled',
        code: undefined,
        tally: undefined,
      })
    })
    // onEvent may have ended the last unsafe call, which ends the run.
    if (this.#unsafeCalls > 0 || this.phase === Phase.done) return
    const { error, step, isCancel } = this.#failure as Failure
    const problem = isCancel ? undefined : checkedProblem(this.#aggregate, toProblem(error, step))
    this.#finish(isCancel ? 'cancelled' : 'failed', problem?.code ?? 'CANCELLED', problem?.statusCode)
    this.#completion.reject(problem === undefined ? error : problem.with(this.recorder.outcomes()))
  }

  #finish(outcome: RunOutcome, code: string | undefined, status: number | undefined): void {
    this.enter(Phase.done)
    this.reportEnd(outcome, code, status, outcome === 'cancelled' ? (this.#failure as Failure).error : undefined)
    this.abort.abort(runEnded)
    for (const run of this.#stepRuns) run.releaseValue()
    clearTimeout(this.#graceTimer)
    // The deadline still applies to unsafe calls.
    if (this.#unsafeCalls === 0) clearTimeout(this.#deadlineTimer)
  }

  #forEachRun(act: (run: StepRun) => void): void {
    if (this.#contextRun !== undefined) act(this.#contextRun)
    for (const run of this.#stepRuns) act(run)
  }
}
