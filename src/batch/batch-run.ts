import { toProblem, UpstreamError, type Problem } from '../errors.ts'
import { Abort } from '../core/abort.ts'
import type { SourcesLevel } from '../fanout/sources-level.ts'
import type { CallFlow } from '../upstream/call/flow.ts'
import { sendOf, type Send } from '../upstream/call/layer.ts'
import type { Runtime } from '../upstream/runtime.ts'
import type { BatchCall } from './batch-call.ts'
import { BatchPhase } from './batch-phase.ts'
import type { BatchCompletion, BatchCounts, BatchFailure, BatchStartOptions } from './batch-start.ts'
import { CallRun, type CallOwner } from './call-run.ts'
import { CollectedResults } from './collected-results.ts'
import { ObservedBatch, type BatchRunParts } from './observed-batch.ts'
import { ReadyCalls, type ReadyCallsOwner } from './ready-calls.ts'
import { ReferenceValues } from './reference-values.ts'
import type { BatchAnswer, WrittenResult } from './result.ts'

/** The flow of the calls of all batches, with the weight of an aggregate of criticality `low`. */
const flow: CallFlow = Object.freeze({ weight: 1 })

/** The reason for which the calls in flight are aborted when the batch fails by a bug. */
const batchFailed = new DOMException('the batch has failed', 'AbortError')

/** The reason for which everything that is still in progress is aborted when the batch has settled. */
const batchEnded = new DOMException('the batch has ended', 'AbortError')

/** The reason for which a batch is stopped. */
interface Stop {
  readonly error: unknown
  readonly isCancel: boolean
}

/**
 * One batch in flight: starts each call when the calls that it needs have ended, and settles once, when all of them
 * have a result. Its phases and their transitions are in batch-phase.ts.
 */
export class BatchRun extends ObservedBatch implements CallOwner, ReadyCallsOwner {
  readonly abort = new Abort()
  readonly flow = flow
  readonly admitted = new Map<object, object>()
  readonly runtime: Runtime
  readonly send: Send
  readonly level: SourcesLevel
  readonly shedOptional: boolean
  /** The results so far. */
  readonly #results: CollectedResults
  readonly #onResult: ((result: WrittenResult) => void) | undefined
  readonly #runs: readonly CallRun[]
  readonly #ready = new ReadyCalls(this)
  readonly #references: ReferenceValues
  /** Unsafe calls and aggregates in flight. */
  #held = 0
  #deadlineTimer: NodeJS.Timeout | undefined
  /** The reason of the stop, from `aborting` on. */
  #failure: Stop | undefined
  #completion: BatchCompletion | undefined

  constructor(parts: BatchRunParts, options: BatchStartOptions) {
    super(parts, options)
    const { runtime, level = 'full', shedOptional = false, onResult, maxReplyBytes = 16 * 1024 * 1024 } = options
    this.runtime = runtime
    this.send = runtime.send.send ?? sendOf(call => runtime.send(call))
    this.level = level
    this.shedOptional = shedOptional
    this.#results = new CollectedResults(parts.calls, maxReplyBytes)
    this.#onResult = onResult
    this.#references = new ReferenceValues(maxReplyBytes)
    this.#runs = parts.calls.map(call => new CallRun(call, this))
  }

  /** Starts the batch; rejects with the reason of its cancellation, or with a `Problem` for a bug. */
  start(): Promise<BatchAnswer> {
    return new Promise((resolve, reject) => this.startFor({ resolve, reject }))
  }

  /** Starts the batch, and passes its result to `completion` without a promise. */
  startFor(completion: BatchCompletion): void {
    this.#completion = completion
    this.reportStart()
    // onEvent may have cancelled the batch.
    if (this.isClosed) return
    this.enter(BatchPhase.running)
    this.#deadlineTimer = setTimeout(() => this.#expire(), this.deadline)
    for (const run of this.#runs) if (run.pendingNeeds === 0) this.#ready.add(run)
    this.#ready.drain()
  }

  /** The number of results so far, by state, and of failures, by code. */
  get counts(): BatchCounts {
    return this.#results.counts
  }

  /** The failures of calls, for a log. Their number is limited. */
  get failures(): readonly BatchFailure[] {
    return this.#results.failures
  }

  /** Cancels the batch: its caller no longer waits for the reply. */
  cancel(reason: unknown): void {
    this.#stop(reason, true)
  }

  /** Fails the batch with a bug. */
  fail(error: unknown): void {
    this.#stop(error, false)
  }

  callStarted({ index }: BatchCall): void {
    this.emit({ type: 'step started', at: this.now(), step: index })
  }

  callEnded(run: CallRun, written: WrittenResult, value: unknown, problem: Problem | undefined): void {
    const { call } = run
    const result = this.#results.add(call, written, problem)
    const { index, state } = result
    const isAnswered = state !== 'failed' && state !== 'notSent'
    this.emit({
      type: 'step ended',
      at: this.now(),
      step: index,
      state: state === 'notSent' ? 'failed' : state,
      code: this.#results.codeOf(index),
      tally: undefined,
    })
    if (this.isClosed) return
    this.#onResult?.(result)
    for (const dependent of call.dependents) this.#needEnded(this.#runs[dependent] as CallRun, call, value, isAnswered)
    this.#ready.drain()
  }

  readyCallsStarted(): void {
    if (this.#results.isWhole && !this.isClosed) this.#complete()
  }

  hold(): void {
    this.#held++
  }

  release(): void {
    this.#held--
    this.#settleStop()
  }

  /** Passes the end of a call to a call that needs it. */
  #needEnded(run: CallRun, { id, index }: BatchCall, value: unknown, isAnswered: boolean): void {
    if (isAnswered) this.#references.fill(run, id, value)
    else if (run.call.needs.some(need => need.index === index && !need.isOrderOnly)) run.failedNeed ??= id
    if (--run.pendingNeeds === 0) this.#ready.add(run)
  }

  #complete(): void {
    const answer = this.#results.answer()
    this.#finish(answer.complete ? 'complete' : 'partial', undefined, 200)
    this.#completion?.resolve(answer)
  }

  /** Handles the deadline: aborts all calls. Calls that are not sent yet fail when their turn comes. */
  #expire(): void {
    const detail = `the limit is ${this.deadline} ms`
    const reason = new UpstreamError('DEADLINE_EXCEEDED', 'batch', { detail, verdict: 'ignored' })
    if (!this.isClosed) this.enter(BatchPhase.expired)
    // Abort even a batch that was stopped: its unsafe calls still listen, and only the deadline aborts them.
    this.abort.abort(reason)
    // By then the calls that react to the abort have ended. A layer that ignores its abort must not delay the reply.
    setImmediate(() => {
      for (const run of this.#runs) run.expire(reason)
    })
  }

  #stop(error: unknown, isCancel: boolean): void {
    if (this.isClosed) return
    this.enter(BatchPhase.aborting)
    this.#failure = { error, isCancel }
    // Calls settle during abort(); the batch settles after it. After the deadline, keep the reason of the deadline.
    this.abort.abort(this.abort.aborted ? this.abort.reason : isCancel ? error : batchFailed)
    for (const run of this.#runs) run.cancel(error)
    this.enter(BatchPhase.stopping)
    this.#settleStop()
  }

  /** Rejects when no unsafe call and no aggregate is in flight. */
  #settleStop(): void {
    if (this.phase !== BatchPhase.stopping || this.#held > 0) return
    const { error, isCancel } = this.#failure as Stop
    for (const { isStarted, call } of this.#runs)
      if (isStarted)
        this.emit({
          type: 'step ended',
          at: this.now(),
          step: call.index,
          state: 'cancelled',
          code: undefined,
          tally: undefined,
        })
    const problem = isCancel ? undefined : toProblem(error)
    this.#finish(isCancel ? 'cancelled' : 'failed', problem?.code ?? 'CANCELLED', problem?.statusCode)
    this.#completion?.reject(problem ?? error)
  }

  #finish(
    state: 'complete' | 'partial' | 'failed' | 'cancelled',
    code: string | undefined,
    status: number | undefined,
  ): void {
    this.enter(BatchPhase.done)
    clearTimeout(this.#deadlineTimer)
    this.reportEnd(state, code, status, state === 'cancelled' ? (this.#failure as Stop).error : undefined)
    this.abort.abort(batchEnded)
  }
}
