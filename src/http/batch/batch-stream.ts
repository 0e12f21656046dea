import { randomUUID } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { BatchCompletion } from '../../batch/batch-start.ts'
import type { BatchAnswer, WrittenResult } from '../../batch/result.ts'
import type { BatchRun } from '../../batch/start-batch.ts'
import { deferIfSliced } from '../../core/sliced.ts'
import { toProblem, type Problem } from '../../errors.ts'
import { setRun } from '../log/request-outcome.ts'
import { callerGone } from '../reply/reply-task.ts'
import { countRun } from '../reply/run-counts.ts'
import type { StreamType } from '../request/media-types.ts'
import { problemText } from '../stream/end-event.ts'
import { EventStream, type StreamSource } from '../stream/event-stream.ts'
import { WrittenEvent } from '../stream/waiting-event.ts'
import { countBatchEnd } from './batch-end.ts'
import { CallEvent, EndOfBatch, planOf } from './batch-events.ts'
import { BatchLog } from './batch-log.ts'
import type { BatchService } from './batch-service.ts'

/** One batch in flight whose caller receives each result when its call ends. */
export class BatchStream implements BatchCompletion, StreamSource {
  /** The id of the run in its events and in its plan. */
  readonly runId = randomUUID()
  readonly #service: BatchService
  readonly #request: FastifyRequest
  readonly #reply: FastifyReply
  readonly #type: StreamType
  #stream!: EventStream
  #run!: BatchRun
  #log!: BatchLog
  /** The reason of the cancellation. */
  #cancelledBy: unknown

  constructor(service: BatchService, request: FastifyRequest, reply: FastifyReply, type: StreamType) {
    this.#service = service
    this.#request = request
    this.#reply = reply
    this.#type = type
  }

  /** Sends the plan and starts the batch, which must pass its results to `resulted`. */
  start(run: BatchRun): void {
    const { load, completeRuns, streams } = this.#service.routes
    const id = { run: this.runId, attempt: 1 } as const
    this.#stream = new EventStream(this.#request, this.#reply, this.#type, id, streams, this)
    // A line about a stream names its form.
    this.#request.log = this.#request.log.child({ stream: this.#stream.format })
    this.#run = run
    this.#log = new BatchLog(completeRuns, this.#request, this.#reply, run)
    setRun(this.#request, this.#log)
    countRun(load, this.#reply.raw, run)
    try {
      this.#stream.open(planOf(run, this.runId))
    } catch (error) {
      // A hook of the app may have set a header that cannot be sent.
      this.#stream.becomePlain()
      countBatchEnd(this.#service, run, 'failed')
      throw error
    }
    run.startFor(this)
  }

  /** Sends the result of a call. */
  resulted(result: WrittenResult): void {
    this.#stream.send(new CallEvent(result))
  }

  resolve(answer: BatchAnswer): void {
    countBatchEnd(this.#service, this.#run, answer.complete ? 'complete' : 'partial')
    deferIfSliced(() => {
      if (!this.#stream.isOpen) return
      this.#log.replied(answer.complete)
      this.#stream.finish(new EndOfBatch(answer))
    })
  }

  reject(error: unknown): void {
    const isCancelled = error === this.#cancelledBy
    countBatchEnd(this.#service, this.#run, isCancelled ? 'cancelled' : 'failed')
    if (!isCancelled) this.#fail(toProblem(error))
  }

  closed(): void {
    this.#cancel(callerGone)
    this.#log.closed()
  }

  interrupted(problem: Problem): void {
    this.#fail(problem)
    this.#cancel(problem)
  }

  drained(): void {
    // No event of a batch waits for the caller to read the others.
  }

  #cancel(reason: unknown): void {
    this.#cancelledBy = reason
    this.#run.cancel(reason)
  }

  #fail(problem: Problem): void {
    if (!this.#stream.isOpen) return
    this.#log.failed(problem)
    this.#stream.finish(new WrittenEvent('problem', problemText(this.#request, problem)))
  }
}
