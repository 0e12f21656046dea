import type { FastifyReply, FastifyRequest } from 'fastify'
import { hasBigint } from '../../core/json/needs-exact.ts'
import { deferIfSliced } from '../../core/sliced.ts'
import { Problem } from '../../errors.ts'
import type { AnyAggregate } from '../../fanout/aggregate.ts'
import type { Reply } from '../../fanout/reply.ts'
import type { EndedItem, RunProgress } from '../../fanout/run-progress.ts'
import type { Run } from '../../fanout/run.ts'
import type { RunCompletion } from '../../fanout/run-options.ts'
import { Snapshots, type SnapshotTarget } from '../../fanout/snapshots.ts'
import type { SourcesLevel } from '../../fanout/sources-level.ts'
import type { Step } from '../../fanout/step.ts'
import type { StreamEvent } from '../../fanout/stream-event.ts'
import { CallerCredentials } from '../log/caller-credentials.ts'
import { setRun } from '../log/request-outcome.ts'
import { callerGone } from '../reply/reply-task.ts'
import type { RouteServices } from '../reply/route-services.ts'
import { countRun, countRunEnd } from '../reply/run-counts.ts'
import { RunLog } from '../reply/run-log.ts'
import type { StreamType } from '../request/media-types.ts'
import { logDroppedSnapshot } from './dropped-snapshots.ts'
import { EndOfRun, problemText, type EndContext } from './end-event.ts'
import { EventStream, type StreamServices, type StreamSource } from './event-stream.ts'
import { eventText, plannedStepsOf } from './event-text.ts'
import type { StreamId } from './resumption.ts'
import { ShownEvent, WrittenEvent } from './waiting-event.ts'

/** The services of the routes of one registration, with those of their streams. */
export interface StreamingServices extends RouteServices {
  readonly streams: StreamServices
}

/** The reason with which the run of a HEAD request is cancelled before its steps start. */
const headSent = new DOMException('the reply to a HEAD request has no body', 'AbortError')

/**
 * One request in flight whose caller receives the events of its run. A run that fails before its plan has a plain
 * reply.
 */
export class StreamTask implements RunCompletion, RunProgress, SnapshotTarget, StreamSource {
  /** The id of the run in its events and in its plan. */
  readonly runId: string
  readonly type: StreamType
  readonly #aggregate: AnyAggregate
  readonly #services: StreamingServices
  readonly #level: SourcesLevel
  readonly #request: FastifyRequest
  readonly #reply: FastifyReply
  readonly #id: StreamId
  #stream!: EventStream
  #context!: EndContext
  #snapshots!: Snapshots

  constructor(
    aggregate: AnyAggregate,
    services: StreamingServices,
    request: FastifyRequest,
    reply: FastifyReply,
    type: StreamType,
    runId: string,
    id: StreamId,
  ) {
    this.runId = runId
    this.#aggregate = aggregate
    this.#services = services
    this.#level = aggregate.route.sources ?? services.sources
    this.#request = request
    this.#reply = reply
    this.type = type
    this.#id = id
  }

  /** Starts the run, which must have this task as its progress. */
  start(run: Run): void {
    const { load, loggedWarnings, completeRuns } = this.#services
    const log = new RunLog(this.#aggregate, completeRuns, this.#request, this.#reply, run)
    this.#context = {
      aggregate: this.#aggregate,
      level: this.#level,
      loggedWarnings,
      request: this.#request,
      reply: this.#reply,
      run,
      log,
    }
    const { streams } = this.#services
    this.#stream = new EventStream(this.#request, this.#reply, this.type, this.#id, streams, this)
    this.#snapshots = new Snapshots(this.#aggregate, run, this)
    setRun(this.#request, log)
    countRun(load, this.#reply.raw, run)
    run.startFor(this)
  }

  planned(): void {
    const { run } = this.#context
    try {
      this.#open(run)
    } catch (error) {
      // A hook of the app may have set a header that cannot be sent.
      run.fail(error)
    }
  }

  #open(run: Run): void {
    if (this.#request.method === 'HEAD') {
      this.#stream.sendHead()
      this.#nameForm()
      this.#context.log.replied({ data: undefined, complete: true, sources: {} })
      return run.cancel(headSent)
    }
    const steps = plannedStepsOf(this.#aggregate)
    this.#stream.open(this.#shown({ event: 'plan', run: this.runId, deadline: run.deadline, steps }))
    this.#nameForm()
    const { context } = this.#aggregate.hooks
    if (context !== undefined && run.outcomeOf(context) !== undefined) this.stepEnded(context)
  }

  /** Adds the form of the stream to the lines of the request. */
  #nameForm(): void {
    this.#request.log = this.#request.log.child({ stream: this.#stream.format })
  }

  itemEnded({ name }: Step, { index, calls, state, code, status }: EndedItem): void {
    this.#snapshots.changed()
    if (this.#level === 'none') return
    const failure = { ...(code !== undefined && { code }), ...(status !== undefined && { status }) }
    this.#stream.sendUnlessBehind(this.#shown({ event: 'item', name, index, calls, state, ...failure }))
  }

  pageEnded(): void {
    this.#snapshots.changed()
  }

  stepEnded(step: Step): void {
    this.#snapshots.changed()
    const outcome = this.#context.run.outcomeOf(step)
    if (outcome === undefined || this.#level === 'none') return
    this.#stream.send(this.#shown({ event: 'source', name: step.index < 0 ? 'context' : step.name, outcome }))
  }

  get acceptsSnapshots(): boolean {
    return this.#stream.isOpen && this.#stream.isDrained && this.#services.load?.shedOptional !== true
  }

  snapshotTaken(data: unknown, pending: readonly string[]): void {
    const isExact = hasBigint(this.#aggregate.schema)
    const text = eventText({ event: 'snapshot', data, complete: false, pending }, this.#level, isExact)
    this.#services.streams.metrics.snapshot('sent')
    this.#stream.send(new WrittenEvent('snapshot', text))
  }

  snapshotDropped(error: unknown, pending: readonly string[]): void {
    const { request, loggedWarnings } = this.#context
    this.#services.streams.metrics.snapshot('dropped')
    const credentials = new CallerCredentials(request.headers)
    logDroppedSnapshot(this.#aggregate, error, pending, loggedWarnings, credentials, request.log)
  }

  resolve(result: Reply<unknown, string>): void {
    countRunEnd(this.#services.load)
    this.#snapshots.end()
    if (!this.#stream.isOpen) return
    // If a large response completed the run, the reply is large too, so it is written in a later turn of the event
    // loop.
    deferIfSliced(() => {
      if (this.#stream.isOpen) this.#stream.finish(new EndOfRun(this.#context, result))
    })
  }

  reject(error: unknown): void {
    countRunEnd(this.#services.load, error)
    this.#snapshots.end()
    if (this.#stream.isOpening) {
      this.#stream.becomePlain()
      if (error instanceof Problem) this.#context.log.failed(error)
      this.#reply.send(error)
    } else if (this.#stream.isOpen && error instanceof Problem) this.#fail(error)
    else if (error === callerGone) this.#reply.hijack()
  }

  closed(): void {
    this.#context.run.cancel(callerGone)
    this.#context.log.closed()
  }

  interrupted(problem: Problem): void {
    const { run } = this.#context
    this.#fail(problem.with(run.outcomes))
    run.cancel(problem)
  }

  drained(): void {
    this.#snapshots.resume()
  }

  #fail(problem: Problem): void {
    this.#snapshots.end()
    this.#context.log.failed(problem)
    this.#stream.finish(new WrittenEvent('problem', problemText(this.#request, problem)))
  }

  #shown(event: StreamEvent): ShownEvent {
    return new ShownEvent(event, this.#level)
  }
}
