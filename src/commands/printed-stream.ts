import { randomUUID } from 'node:crypto'
import { hasBigint } from '../core/json/needs-exact.ts'
import type { Problem } from '../errors.ts'
import type { AnyAggregate } from '../fanout/aggregate.ts'
import type { Reply } from '../fanout/reply.ts'
import type { EndedItem, RunProgress } from '../fanout/run-progress.ts'
import type { Run } from '../fanout/run.ts'
import { faultOfSnapshot } from '../fanout/snapshot-merge.ts'
import { Snapshots, type SnapshotTarget } from '../fanout/snapshots.ts'
import type { Step } from '../fanout/step.ts'
import type { StreamEvent } from '../fanout/stream-event.ts'
import { causeChain } from '../log/cause-chain.ts'
import { replyBody, setReplyHeaders } from '../http/reply/write-reply.ts'
import { writtenProblem } from '../http/stream/end-event.ts'
import { eventText, plannedStepsOf } from '../http/stream/event-text.ts'
import { ReplyCollector } from '../http/stream/reply-collector.ts'

/** A command sends no request, so no hook has set a header. */
const noHeaders = { getHeader: () => undefined }

/** Prints the events of one run, as a caller of the service receives them. */
export class PrintedStream implements RunProgress, SnapshotTarget {
  /** The id of the run, which its options must have. */
  readonly id = randomUUID()
  readonly #aggregate: AnyAggregate
  readonly #print: (line: string) => void
  readonly #warn: (line: string) => void
  #run!: Run
  #snapshots!: Snapshots
  #isOpen = false
  #hasWarned = false

  constructor(aggregate: AnyAggregate, print: (line: string) => void, warn: (line: string) => void) {
    this.#aggregate = aggregate
    this.#print = print
    this.#warn = warn
  }

  /** Sets the run, which must have this object as its progress and has not started. */
  follow(run: Run): void {
    this.#run = run
    this.#snapshots = new Snapshots(this.#aggregate, run, this)
  }

  planned(): void {
    this.#isOpen = true
    this.#send({ event: 'plan', run: this.id, deadline: this.#run.deadline, steps: plannedStepsOf(this.#aggregate) })
    const { context } = this.#aggregate.hooks
    if (context !== undefined && this.#run.outcomeOf(context) !== undefined) this.stepEnded(context)
  }

  itemEnded({ name }: Step, { index, calls, state, code, status }: EndedItem): void {
    this.#snapshots.changed()
    const failure = { ...(code !== undefined && { code }), ...(status !== undefined && { status }) }
    this.#send({ event: 'item', name, index, calls, state, ...failure })
  }

  pageEnded(): void {
    this.#snapshots.changed()
  }

  stepEnded(step: Step): void {
    this.#snapshots.changed()
    const outcome = this.#run.outcomeOf(step)
    if (outcome === undefined) return
    this.#send({ event: 'source', name: step.index < 0 ? 'context' : step.name, outcome })
  }

  /** A pipe that is full keeps what it gets in memory. */
  get acceptsSnapshots(): boolean {
    return !process.stdout.writableNeedDrain
  }

  snapshotTaken(data: unknown, pending: readonly string[]): void {
    this.#send({ event: 'snapshot', data, complete: false, pending })
  }

  /** Warns once, because a merge that fails with the fallback of a step fails for most snapshots. */
  snapshotDropped(error: unknown, pending: readonly string[]): void {
    if (this.#hasWarned) return
    this.#hasWarned = true
    this.#warn(`${faultOfSnapshot(this.#aggregate, pending)}\n  because: ${causeChain({ cause: error })}`)
  }

  /** Prints the last event of a run that has a reply. */
  replied(result: Reply<unknown, string>): void {
    this.#snapshots.end()
    const sink = new ReplyCollector(noHeaders)
    setReplyHeaders(this.#aggregate, result, 'full', undefined, undefined, sink, this.#run.isRehearsed)
    const text = replyBody(this.#aggregate, result, 'full', undefined) ?? null
    this.#send({ event: 'reply', status: sink.status, headers: sink.fields, text })
  }

  /** Prints the last event of a run that failed. A run that failed before its plan has no stream. */
  failed(problem: Problem): void {
    this.#snapshots.end()
    if (this.#isOpen) this.#print(writtenProblem(problem, this.id))
  }

  #send(event: StreamEvent): void {
    this.#print(eventText(event, 'full', hasBigint(this.#aggregate.schema)))
  }
}
