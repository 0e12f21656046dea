import { Problem, toProblem, type Fault } from '../errors.ts'
import type { AnyAggregate } from '../fanout/aggregate.ts'
import type { OnEvent } from '../fanout/events.ts'
import type { ReadInput } from '../fanout/input.ts'
import type { Reply } from '../fanout/reply.ts'
import { Run } from '../fanout/run.ts'
import type { RunTimeline } from '../fanout/run-timeline.ts'
import type { SourcesLevel } from '../fanout/sources-level.ts'
import { startRunSpans } from '../otel/run-spans.ts'
import type { RequestTrace } from '../trace/request-trace.ts'
import type { Call } from '../upstream/call/call.ts'
import type { Answer, Completion, Send } from '../upstream/call/layer.ts'
import { LiveCall } from '../upstream/call/live-call.ts'
import type { Scope } from '../upstream/call/scope.ts'
import type { RunSpans } from '../upstream/call/spans.ts'
import type { Runtime } from '../upstream/runtime.ts'
import type { BatchCall } from './batch-call.ts'
import { CallPhase, enterCall } from './batch-phase.ts'
import { fillInput } from './fill-input.ts'
import { writePointer } from './json-pointer.ts'
import { prepareFilled } from './prepare-filled.ts'
import type { Refused } from './prepare.ts'
import type { Reference } from './reference.ts'
import type { FailedResult, WrittenResult } from './result.ts'
import { answeredResult, failedResult, repliedResult, type AnsweredCall, type RepliedCall } from './write-result.ts'

/** The part of a batch that its calls use. */
export interface CallOwner extends Scope {
  readonly runtime: Runtime
  readonly send: Send
  readonly level: SourcesLevel
  readonly shedOptional: boolean
  readonly trace: RequestTrace | undefined
  readonly spans: RunSpans | undefined
  readonly onEvent: OnEvent | undefined
  /** Follows the batch for its operator; undefined if runs are not kept. */
  readonly timeline: RunTimeline | undefined
  /** True if the batch was stopped or has settled. It then accepts no results. */
  readonly isClosed: boolean
  callStarted(call: BatchCall): void
  /**
   * Takes the result of a call.
   *
   * @param value The answer or the data, for the references to it.
   * @param problem The failure, or the failure that a stale answer replaces.
   */
  callEnded(run: CallRun, result: WrittenResult, value: unknown, problem: Problem | undefined): void
  /** Counts something in flight that a batch which was stopped waits for. */
  hold(): void
  /** Counts its end. */
  release(): void
}

/** One call of a batch in flight. */
export class CallRun implements Completion<unknown> {
  readonly call: BatchCall
  /** The number of calls that it needs and that have not ended. */
  pendingNeeds: number
  /** The id of a call that it needs and that failed. */
  failedNeed: string | undefined
  readonly #owner: CallOwner
  #phase: CallPhase = CallPhase.waiting
  /** The values of the references whose calls have ended, by the object of the reference. */
  readonly #values = new Map<object, unknown>()
  /** The first reference without a value. */
  #lost: { readonly reference: Reference; readonly reason: string } | undefined
  /** The run of the aggregate, while it is in flight. */
  #run: Run | undefined
  /** True from the start to the end of an unsafe call or an aggregate. */
  #isHeld = false

  constructor(call: BatchCall, owner: CallOwner) {
    this.call = call
    this.pendingNeeds = call.needs.length
    this.#owner = owner
  }

  /** True if its start was reported, and its end was not. */
  get isStarted(): boolean {
    return this.#phase === CallPhase.ready || this.#phase === CallPhase.inFlight
  }

  /** Stores the value of a reference. */
  fill(reference: Reference, value: unknown): void {
    this.#values.set(reference.object, value)
  }

  /** Stores the reason for which a reference has no value. */
  lose(reference: Reference, reason: string): void {
    this.#lost ??= { reference, reason }
  }

  /** Makes the call, or ends it because it cannot be made. */
  proceed(): void {
    const { call } = this
    this.#enter(CallPhase.ready)
    this.#owner.callStarted(call)
    // onEvent may have cancelled the batch.
    if (this.#owner.isClosed) return
    if (this.failedNeed !== undefined) {
      const detail = `The call was not sent, because the call '${this.failedNeed}', which it needs, failed.`
      return this.#endWith('notSent', new Problem('DEPENDENCY_FAILED', { detail }))
    }
    if (this.#owner.abort.aborted) return this.#endFailed(this.#owner.abort.reason)
    if (this.#lost !== undefined) {
      const { reference, reason } = this.#lost
      const detail = `The call was not sent, because the reference at /input${writePointer(reference.path)} ${reason}.`
      return this.#endWith('notSent', new Problem('REFERENCE_INVALID', { detail }))
    }
    let prepared
    try {
      prepared = call.prepared ?? prepareFilled(call.offered, fillInput(call.input, this.#values), this.#owner.headers)
    } catch (error) {
      return this.#endFailed(error)
    }
    this.#values.clear()
    if (!('offered' in prepared)) return this.#endRefused(prepared)
    this.#enter(CallPhase.inFlight)
    if ('call' in prepared) this.#send(prepared.call)
    else this.#startRun(prepared.offered.aggregate, prepared.input)
  }

  /** Ends the call at the deadline, even if it did not end when it was aborted. An aggregate ends by its own deadline. */
  expire(reason: unknown): void {
    if (this.#phase !== CallPhase.inFlight || this.#run !== undefined) return
    this.#endFailed(reason)
    this.#release()
  }

  /** Cancels the run of its aggregate. The abort of the batch ends the call of an operation. */
  cancel(reason: unknown): void {
    this.#run?.cancel(reason)
  }

  #send(call: Call<unknown>): void {
    const owner = this.#owner
    if (!call.spec.safe) this.#hold()
    owner.timeline?.callSent(this.call.index, 0, call, owner.now())
    owner.send(new LiveCall(call, owner.abort, owner, this.call.index, 0), this)
  }

  /** Takes the answer of an operation. */
  resolve({ value, cached }: Answer<unknown>): void {
    const insteadOf = cached?.insteadOf
    const write = () => answeredResult(this.call as AnsweredCall, value, insteadOf !== undefined)
    this.#end(write, value, insteadOf && toProblem(insteadOf))
    this.#release()
  }

  /** Takes the failure of an operation. */
  reject(error: unknown): void {
    this.#endFailed(error)
    this.#release()
  }

  #startRun(aggregate: AnyAggregate, input: ReadInput): void {
    const { runtime, spans, shedOptional, onEvent, headers, deadline, timeline, trace: own } = this.#owner
    const nested = spans?.invoke(this.call.index, trace => startRunSpans(aggregate, trace), spans.trace)
    const trace = nested === undefined ? own : nested.trace
    // The time can have passed before the timer of the batch rings.
    const remaining = Math.max(1, Math.floor(deadline - this.#owner.now()))
    const run = new Run(aggregate, input, headers, {
      runtime,
      deadline: remaining,
      shedOptional,
      trace,
      spans: nested,
      onEvent,
      timeline: timeline?.part(aggregate),
    })
    this.#run = run
    this.#hold()
    const end = (status: number | undefined, act: () => void) => {
      nested?.end(status)
      this.#run = undefined
      act()
      this.#release()
    }
    run.startFor({
      resolve: reply => end(reply.status ?? 200, () => this.#takeReply(reply)),
      reject: error => end(error instanceof Problem ? error.statusCode : undefined, () => this.#endFailed(error)),
    })
  }

  #takeReply(reply: Reply<unknown, string>): void {
    const call = this.call as RepliedCall
    this.#end(() => repliedResult(call, reply, this.#levelOf(call)), reply.data, undefined)
  }

  #levelOf({ offered: { aggregate } }: BatchCall): SourcesLevel {
    return aggregate?.route.sources ?? this.#owner.level
  }

  #hold(): void {
    this.#isHeld = true
    this.#owner.hold()
  }

  #release(): void {
    if (!this.#isHeld) return
    this.#isHeld = false
    this.#owner.release()
  }

  /** Ends the call with an answer. An answer that cannot be written fails the call. */
  #end(write: () => WrittenResult, value: unknown, problem: Problem | undefined): void {
    if (!this.#isOpen) return
    let result
    try {
      result = write()
    } catch (error) {
      return this.#endFailed(error)
    }
    this.#enter(CallPhase.ended)
    this.#owner.callEnded(this, result, value, problem)
  }

  #endFailed(error: unknown): void {
    this.#endWith('failed', toProblem(error))
  }

  /** Ends a call whose input is refused with the values of its references. */
  #endRefused(faults: Refused): void {
    const [{ pointer, reason }] = faults as readonly [Fault]
    const detail = `The call was not sent, because its input is refused with the values of its references: ${pointer}`
    this.#endWith('notSent', new Problem('REFERENCE_INVALID', { detail: `${detail} ${reason}.`, faults }))
  }

  #endWith(state: FailedResult['state'], problem: Problem): void {
    if (!this.#isOpen) return
    this.#enter(CallPhase.ended)
    this.#owner.callEnded(this, failedResult(this.call, state, problem, this.#levelOf(this.call)), undefined, problem)
  }

  /** False if the call has a result already, or if the batch takes none. */
  get #isOpen(): boolean {
    return this.#phase !== CallPhase.ended && !this.#owner.isClosed
  }

  #enter(phase: CallPhase): void {
    this.#phase = enterCall(this.#phase, phase)
  }
}
