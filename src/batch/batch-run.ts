import { toProblem, UpstreamError, type Problem } from '../errors.ts'
import { Abort } from '../core/abort.ts'
import { recordSpan } from '../fanout/record-span.ts'
import type { StepEvent } from '../fanout/events.ts'
import type { RunTimeline } from '../fanout/run-timeline.ts'
import { watchOf } from '../fanout/run-watch.ts'
import type { SourcesLevel } from '../fanout/sources-level.ts'
import type { RequestTrace } from '../trace/request-trace.ts'
import type { Scope } from '../upstream/call/scope.ts'
import type { CallFlow } from '../upstream/call/flow.ts'
import { sendOf, type Send } from '../upstream/call/layer.ts'
import type { RunSpans } from '../upstream/call/spans.ts'
import type { Runtime } from '../upstream/runtime.ts'
import type { BatchCall } from './batch-call.ts'
import { BatchPhase, enterBatch } from './batch-phase.ts'
import type {
  BatchAggregate,
  BatchCompletion,
  BatchCounts,
  BatchFailure,
  BatchStartOptions,
  PlannedCall,
} from './batch-start.ts'
import { CallRun, type CallOwner } from './call-run.ts'
import { CollectedResults } from './collected-results.ts'
import { valueAt } from './json-pointer.ts'
import type { BatchAnswer, WrittenResult } from './result.ts'

/** The flow of the calls of all batches, with the weight of an aggregate of criticality `low`. */
const flow: CallFlow = Object.freeze({ weight: 1 })

/** The time after which the calls that can go on wait for the next turn of the event loop, in ms. */
const turnMs = 5

/** The reason for which the calls in flight are aborted when the batch fails by a bug. */
const batchFailed = new DOMException('the batch has failed', 'AbortError')

/** The reason for which everything that is still in progress is aborted when the batch has settled. */
const batchEnded = new DOMException('the batch has ended', 'AbortError')

/** The reason for which a batch is stopped. */
interface Stop {
  readonly error: unknown
  readonly isCancel: boolean
}

/** The parts of a batch that its run needs beside the options. */
export interface BatchRunParts {
  readonly calls: readonly BatchCall[]
  readonly deadline: number
  readonly described: BatchAggregate
  readonly spans: RunSpans | undefined
}

/**
 * One batch in flight: starts each call when the calls that it needs have ended, and settles once, when all of them
 * have a result. Its phases and their transitions are in batch-phase.ts.
 */
export class BatchRun implements CallOwner {
  readonly abort = new Abort()
  readonly flow = flow
  readonly admitted = new Map<object, object>()
  readonly runtime: Runtime
  readonly send: Send
  readonly deadline: number
  readonly headers: Scope['headers']
  readonly level: SourcesLevel
  readonly shedOptional: boolean
  readonly trace: RequestTrace | undefined
  readonly spans: RunSpans | undefined
  readonly onEvent: BatchStartOptions['onEvent']
  readonly timeline: RunTimeline | undefined
  /** The calls, in the order of the batch. */
  readonly #calls: readonly BatchCall[]
  /** The results so far. */
  readonly #results: CollectedResults
  #phase: BatchPhase = BatchPhase.created
  readonly #onResult: ((result: WrittenResult) => void) | undefined
  readonly #watch: ReturnType<typeof watchOf>
  readonly #startedAt = performance.now()
  readonly #runs: readonly CallRun[]
  /** Calls that can go on. A list, because a call may end before its start has returned. */
  readonly #queue: CallRun[] = []
  #isDraining = false
  /** The size of the values of references that calls may still take, in characters. */
  #referenceSpace: number
  /** Unsafe calls and aggregates in flight. */
  #held = 0
  #deadlineTimer: NodeJS.Timeout | undefined
  /** The reason of the stop, from `aborting` on. */
  #failure: Stop | undefined
  #completion: BatchCompletion | undefined

  constructor({ calls, deadline, described, spans }: BatchRunParts, options: BatchStartOptions) {
    const { runtime, headers, level = 'full', shedOptional = false, trace, onEvent, onResult, id, timeline } = options
    const { maxReplyBytes = 16 * 1024 * 1024 } = options
    this.runtime = runtime
    this.send = runtime.send.send ?? sendOf(call => runtime.send(call))
    this.deadline = deadline
    this.headers = headers as Scope['headers']
    this.level = level
    this.shedOptional = shedOptional
    this.spans = spans
    this.trace = spans === undefined ? trace : spans.trace
    this.onEvent = onEvent
    this.#calls = calls
    this.#results = new CollectedResults(calls, maxReplyBytes)
    this.#onResult = onResult
    this.#referenceSpace = maxReplyBytes
    this.#runs = calls.map(call => new CallRun(call, this))
    this.timeline = timeline?.(described, this.plan)
    this.#watch = watchOf(described, this, onEvent, id ?? this.timeline)
  }

  /** Starts the batch; rejects with the reason of its cancellation, or with a `Problem` for a bug. */
  start(): Promise<BatchAnswer> {
    return new Promise((resolve, reject) => this.startFor({ resolve, reject }))
  }

  /** Starts the batch, and passes its result to `completion` without a promise. */
  startFor(completion: BatchCompletion): void {
    this.#completion = completion
    this.spans?.runStarted()
    this.#watch?.notify({ type: 'run started', at: 0 })
    // onEvent may have cancelled the batch.
    if (this.isClosed) return
    this.#enter(BatchPhase.running)
    this.#deadlineTimer = setTimeout(() => this.#expire(), this.deadline)
    for (const run of this.#runs) if (run.pendingNeeds === 0) this.#queue.push(run)
    this.#drain()
  }

  /** The calls as their caller wrote them. */
  get plan(): readonly PlannedCall[] {
    return this.#calls.map(({ id, offered: { name: operation }, needs }) => ({
      id,
      operation,
      needs: needs.map(({ index }) => (this.#calls[index] as BatchCall).id),
    }))
  }

  /** The number of results so far, by state, and of failures, by code. */
  get counts(): BatchCounts {
    return this.#results.counts
  }

  /** The failures of calls, for a log. Their number is limited. */
  get failures(): readonly BatchFailure[] {
    return this.#results.failures
  }

  get isWatched(): boolean {
    return this.#watch !== undefined || this.timeline !== undefined
  }

  get isClosed(): boolean {
    return this.#phase >= BatchPhase.aborting
  }

  /** Cancels the batch: its caller no longer waits for the reply. */
  cancel(reason: unknown): void {
    this.#stop(reason, true)
  }

  /** Fails the batch with a bug. */
  fail(error: unknown): void {
    this.#stop(error, false)
  }

  now(): number {
    return performance.now() - this.#startedAt
  }

  emit(event: StepEvent): void {
    if (this.#phase === BatchPhase.done) return
    if (this.spans !== undefined) recordSpan(this.spans, event)
    this.timeline?.event(event)
    this.#watch?.notify(event)
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
    this.#drain()
  }

  hold(): void {
    this.#held++
  }

  release(): void {
    this.#held--
    this.#settleStop()
  }

  #enter(phase: BatchPhase): void {
    this.#phase = enterBatch(this.#phase, phase)
  }

  /** Passes the end of a call to a call that needs it. */
  #needEnded(run: CallRun, { id, index }: BatchCall, value: unknown, isAnswered: boolean): void {
    if (isAnswered) this.#fillReferences(run, id, value)
    else if (run.call.needs.some(need => need.index === index && !need.isOrderOnly)) run.failedNeed ??= id
    if (--run.pendingNeeds === 0) this.#queue.push(run)
  }

  #fillReferences(run: CallRun, id: string, value: unknown): void {
    for (const reference of run.call.references) {
      if (reference.id !== id) continue
      if (this.#referenceSpace < 0) return run.lose(reference, 'has no room: the references of a batch are too large')
      const found = valueAt(value ?? null, reference.tokens)
      if (found === undefined) return run.lose(reference, `points to nothing in the data of '${id}'`)
      this.#referenceSpace -= found.size
      run.fill(reference, found.value)
    }
  }

  #drain(): void {
    if (this.#isDraining) return
    this.#isDraining = true
    const until = performance.now() + turnMs
    while (this.#queue.length > 0 && !this.isClosed) {
      // Many calls may take a large value of one call, and each of them reads and writes it.
      if (performance.now() > until) return void setImmediate(() => this.#drainAgain())
      ;(this.#queue.shift() as CallRun).proceed()
    }
    this.#isDraining = false
    if (this.#results.isWhole && !this.isClosed) this.#complete()
  }

  #drainAgain(): void {
    this.#isDraining = false
    this.#drain()
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
    if (!this.isClosed) this.#enter(BatchPhase.expired)
    // Abort even a batch that was stopped: its unsafe calls still listen, and only the deadline aborts them.
    this.abort.abort(reason)
    // By then the calls that react to the abort have ended. A layer that ignores its abort must not delay the reply.
    setImmediate(() => {
      for (const run of this.#runs) run.expire(reason)
    })
  }

  #stop(error: unknown, isCancel: boolean): void {
    if (this.isClosed) return
    this.#enter(BatchPhase.aborting)
    this.#failure = { error, isCancel }
    // Calls settle during abort(); the batch settles after it. After the deadline, keep the reason of the deadline.
    this.abort.abort(this.abort.aborted ? this.abort.reason : isCancel ? error : batchFailed)
    for (const run of this.#runs) run.cancel(error)
    this.#enter(BatchPhase.stopping)
    this.#settleStop()
  }

  /** Rejects when no unsafe call and no aggregate is in flight. */
  #settleStop(): void {
    if (this.#phase !== BatchPhase.stopping || this.#held > 0) return
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
    this.#enter(BatchPhase.done)
    clearTimeout(this.#deadlineTimer)
    const at = this.now()
    const cancelledBy = state === 'cancelled' ? (this.#failure as Stop).error : undefined
    this.timeline?.ended({ state, at, status, code, cancelledBy }, { deadline: this.deadline })
    this.spans?.runEnded(state, code)
    this.#watch?.notify({ type: 'run ended', at, code })
    this.abort.abort(batchEnded)
  }
}
