import { Problem, toProblem, UpstreamError, type ErrorCode } from '../errors.ts'
import { Abort } from '../core/abort.ts'
import type { Scope } from '../upstream/call/call.ts'
import { sendOf, type Send } from '../upstream/call/layer.ts'
import type { Runtime } from '../upstream/runtime.ts'
import type { AnyAggregate } from './aggregate.ts'
import type { RunEvent, Tally } from './events.ts'
import type { RunHandle, AuthorPlace } from './run-handle.ts'
import type { ReadInput } from './input.ts'
import type { Reads } from './reads.ts'
import { Ending, type Ended } from './ending.ts'
import { OutcomeRecorder, type LostCall, type State } from './outcome-recorder.ts'
import type { Reply } from './reply.ts'
import { running, type Running } from './offload/running.ts'
import { StepArgs } from './step-args.ts'
import { StepRun } from './step-run.ts'

export interface RunOptions {
  readonly runtime: Runtime
  /** Shortens the aggregate's deadline, in ms; a longer one changes nothing. */
  readonly deadline?: number | undefined
  /** Answers optional steps by their fallback at once, as an app under pressure does. @default false */
  readonly shedOptional?: boolean | undefined
  /** Is told everything as it happens. */
  readonly onEvent?: ((event: RunEvent) => void) | undefined
}

/** Is told once how a run ended. */
export interface RunCompletion {
  resolve(reply: Reply<unknown, string>): void
  reject(error: unknown): void
}

/** How long an async merge that starts at the deadline may take, with what stands after it, in ms. */
const endGrace = 25

/** Why whatever still goes on is stopped when the run has ended. */
const over = new DOMException('the run has ended', 'AbortError')

/**
 * One execution of an aggregate: asks `before`, starts each step when its needs have values, merges what they bring,
 * and ends once.
 */
export class Run implements RunHandle, Ended {
  readonly abort = new Abort()
  readonly send: Send
  readonly deadline: number
  readonly shedOptional: boolean
  readonly headers: Scope['headers']
  readonly reads: Reads | undefined
  readonly admitted = new Map<object, object>()
  context: unknown = undefined
  expired: UpstreamError | undefined
  readonly #aggregate: AnyAggregate
  readonly #runtime: Runtime
  readonly #input: ReadInput
  #onEvent: RunOptions['onEvent']
  readonly #recorder: OutcomeRecorder
  readonly #startedAt = performance.now()
  readonly #runs: readonly StepRun[]
  /** The run of `before`, which is no step to whoever watches. */
  readonly #prelude: StepRun | undefined
  /** What steps without needs see. */
  #shared: StepArgs
  #pendingSteps: number
  #deadlineTimer: NodeJS.Timeout | undefined
  #graceTimer: NodeJS.Timeout | undefined
  #ending: Ending | undefined
  /** What ends the run without a reply; the first one stays. */
  #failure: { readonly error: unknown; readonly step: string | undefined; readonly isCancel: boolean } | undefined
  #over = false
  #isCutting = false
  #onOver!: RunCompletion

  constructor(
    aggregate: AnyAggregate,
    input: ReadInput,
    headers: Scope['headers'],
    { runtime, deadline = Infinity, shedOptional = false, onEvent }: RunOptions,
    reads?: Reads,
  ) {
    this.#aggregate = aggregate
    this.#runtime = runtime
    this.#input = input
    this.#onEvent = onEvent
    this.#recorder = new OutcomeRecorder(aggregate.steps)
    this.send = runtime.send.send ?? sendOf(call => runtime.send(call))
    this.headers = headers
    this.reads = reads
    this.shedOptional = shedOptional
    if (!(deadline > 0))
      throw new TypeError(
        `aggregate '${aggregate.name}': a run's deadline is ${deadline}, and must be a number of ms above 0`,
      )
    this.deadline = Math.min(deadline, aggregate.route.deadline)
    this.#shared = new StepArgs(input, this.abort, undefined)
    this.#prelude = aggregate.hooks.context && new StepRun(aggregate.hooks.context, this)
    this.#runs = aggregate.steps.map(step => new StepRun(step, this))
    this.#pendingSteps = this.#runs.length
  }

  /** Starts the run; rejects with a `Problem`, or with the reason it was cancelled for. */
  start(): Promise<Reply<unknown, string>> {
    return new Promise((win, lose) => this.startFor({ resolve: win, reject: lose }))
  }

  /** Starts the run, and tells `over` how it ended, with no promise. */
  startFor(over: RunCompletion): void {
    this.#onOver = over
    this.#deadlineTimer = setTimeout(() => this.#expire(), this.deadline)
    if (this.#prelude === undefined) this.#begin()
    else this.#prelude.start(this.#prelude.asking(this.#shared))
  }

  /** Calls that were lost although the run has not failed by them, the first few. */
  get lost(): readonly LostCall[] {
    return this.#recorder.lost
  }

  get isWatched(): boolean {
    return this.#onEvent !== undefined
  }

  #begin(): void {
    for (const run of this.#runs) if (run.step.needs.length === 0) this.#start(run)
    if (this.#runs.length === 0) this.#merge()
  }

  /** Ends the run because its caller has gone. */
  cancel(reason: unknown): void {
    this.#decide(reason, undefined, true)
  }

  get failed(): boolean {
    return this.#failure !== undefined
  }

  now(): number {
    return performance.now() - this.#startedAt
  }

  emit(event: Exclude<RunEvent, { type: 'run ended' }>): void {
    if (this.#over || event.step < 0) return
    this.#recorder.record(event)
    this.#tell(event)
  }

  /** Tells whoever watches; one who throws is told no more, and fails the run like any other bug. */
  #tell(event: RunEvent): void {
    try {
      const returned: unknown = this.#onEvent?.(event)
      if (returned !== undefined) Promise.resolve(returned).catch((error: unknown) => this.#untold(error))
    } catch (error) {
      this.#untold(error)
    }
  }

  #untold(error: unknown): void {
    this.#onEvent = undefined
    this.#decide(error, undefined)
  }

  stepEnded(run: StepRun, value: unknown, state: State, code?: ErrorCode, tally?: Tally): void {
    run.release()
    if (run === this.#prelude) {
      this.context = value
      this.#shared = this.createArgs()
      return this.#begin()
    }
    this.emit({ type: 'step ended', at: this.now(), step: run.step.index, state, code, tally })
    for (const dependent of this.#aggregate.dependents[run.step.index] as readonly number[]) {
      const waiting = this.#runs[dependent] as StepRun
      if (--waiting.pendingNeeds === 0) this.#start(waiting)
    }
    if (--this.#pendingSteps === 0) this.#merge()
  }

  stepFailed(error: unknown, run: StepRun, tally?: Tally): void {
    run.release()
    const code = error instanceof UpstreamError || error instanceof Problem ? error.code : 'INTERNAL'
    this.emit({ type: 'step ended', at: this.now(), step: run.step.index, state: 'failed', code, tally })
    this.#decide(error, run === this.#prelude ? undefined : run.step.name)
  }

  unsafeCallEnded(): void {
    // While calls are cut each tells its end; the last of them is not the end of the cutting.
    if (this.failed && !this.#isCutting) this.#settle()
    else if (this.#over) this.#stopClock()
  }

  #start(run: StepRun): void {
    if (this.failed) return
    this.emit({ type: 'step started', at: this.now(), step: run.step.index })
    // Whoever watches may have ended it.
    if (this.failed) return
    run.start(
      run.abort === this.abort && run.step.needs.length === 0
        ? this.#shared
        : this.#createStepArgs(run.step.needs, run.abort),
    )
  }

  invoke(author: (seen: never) => unknown, seen: object, abort: Abort, place: AuthorPlace): unknown {
    const where = typeof place === 'string' ? place : place.index < 0 ? 'before' : `step '${place.name}'`
    const at: Running = {
      runtime: this.#runtime,
      abort,
      owner: `aggregate '${this.#aggregate.name}', ${where}`,
      isLast: typeof place === 'string' && this.expired !== undefined,
    }
    return running.run(at, author, seen as never)
  }

  createArgs(): StepArgs {
    return new StepArgs(this.#input, this.abort, this.context)
  }

  /** The same with the values of some steps, under their names. */
  #createStepArgs(steps: readonly number[], abort: Abort): StepArgs {
    const seen = new StepArgs(this.#input, abort, this.context)
    for (const index of steps) {
      const { step, value } = this.#runs[index] as StepRun
      ;(seen as unknown as Record<string, unknown>)[step.name] = value
    }
    return seen
  }

  /**
   * The deadline has come: what runs is cut, what is optional falls back, and the reply goes out with what there is.
   */
  #expire(): void {
    const { name, route } = this.#aggregate
    const verdict = this.deadline < route.deadline ? 'ignored' : 'failed'
    const reason = (this.expired = new UpstreamError('DEADLINE_EXCEEDED', name, {
      detail: `it may take ${this.deadline} ms`,
      verdict,
    }))
    const isEnding = this.#ending !== undefined
    this.abort.abort(reason)
    if (isEnding) return this.stop(reason)
    for (const run of this.#all()) run.abortPending(reason)
    // Cut calls have ended by then; a layer that swallows its abort must not hold the reply.
    setImmediate(() => {
      for (const run of this.#all()) {
        run.unsafe = 0
        run.forceSettle(reason)
      }
      if (this.failed) this.#settle()
    })
  }

  #merge(): void {
    // Whoever has gone while an unsafe call ended is not answered.
    if (this.failed) return
    this.#ending = new Ending(this.#aggregate, this.#recorder, this)
    const reason = this.expired
    if (reason !== undefined) this.#graceTimer = setTimeout(() => this.stop(reason), endGrace)
    this.#ending.merge(
      this.#createStepArgs(
        this.#aggregate.steps.map(({ index }) => index),
        this.abort,
      ),
    )
  }

  done(reply: Reply<unknown, string>): void {
    this.#finish(undefined)
    this.#onOver.resolve(reply)
  }

  stop(error: unknown): void {
    this.#decide(error, undefined)
  }

  /** The first failure decides: everything else is stopped. */
  #decide(error: unknown, step: string | undefined, isCancel = false): void {
    if (this.failed || this.#over) return
    this.#failure = { error, step, isCancel }
    this.#isCutting = true
    this.abort.abort(error)
    this.#isCutting = false
    this.#settle()
  }

  /**
   * Reports what was stopped, and rejects as soon as no unsafe call is under way whose outcome the caller must hear of.
   */
  #settle(): void {
    if (this.#over || this.#failure === undefined) return
    for (const run of this.#all()) {
      if (run.phase === 'ended' || run.phase === 'waiting' || run.unsafe > 0) continue
      run.release()
      this.emit({
        type: 'step ended',
        at: this.now(),
        step: run.step.index,
        state: 'cancelled',
        code: undefined,
        tally: undefined,
      })
    }
    if (this.#all().some(run => run.unsafe > 0)) return
    const { error, step, isCancel } = this.#failure
    const problem = isCancel ? undefined : toProblem(error, step)
    this.#finish(problem?.code ?? 'CANCELLED')
    this.#onOver.reject(problem === undefined ? error : problem.with(this.#recorder.outcomes()))
  }

  #finish(code: string | undefined): void {
    this.#over = true
    this.#tell({ type: 'run ended', at: this.now(), code })
    this.abort.abort(over)
    for (const run of this.#runs) run.releaseValue()
    clearTimeout(this.#graceTimer)
    this.#stopClock()
  }

  /** The deadline's timer stays for unsafe calls alone. */
  #stopClock(): void {
    if (this.#all().every(run => run.unsafe === 0)) clearTimeout(this.#deadlineTimer)
  }

  #all(): readonly StepRun[] {
    return this.#prelude === undefined ? this.#runs : [this.#prelude, ...this.#runs]
  }
}
