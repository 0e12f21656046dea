import type { FastifyReply, FastifyRequest } from 'fastify'
import type { BatchCompletion } from '../../batch/batch-start.ts'
import type { BatchAnswer } from '../../batch/result.ts'
import type { BatchRun } from '../../batch/start-batch.ts'
import { deferIfSliced } from '../../core/sliced.ts'
import { Problem } from '../../errors.ts'
import { setRun } from '../log/request-outcome.ts'
import { callerGone, longText } from '../reply/reply-task.ts'
import { countRun } from '../reply/run-counts.ts'
import { countBatchEnd, headersOf } from './batch-end.ts'
import { BatchLog } from './batch-log.ts'
import type { BatchService } from './batch-service.ts'

/** One batch in flight: starts its calls, then writes the reply. */
export class BatchTask implements BatchCompletion {
  readonly #service: BatchService
  readonly #reply: FastifyReply
  readonly #request: FastifyRequest
  readonly #run: BatchRun
  readonly #log: BatchLog

  constructor(service: BatchService, request: FastifyRequest, reply: FastifyReply, run: BatchRun) {
    this.#service = service
    this.#request = request
    this.#reply = reply
    this.#run = run
    this.#log = new BatchLog(service.routes.completeRuns, request, reply, run)
  }

  start(): void {
    const { raw } = this.#reply
    setRun(this.#request, this.#log)
    // The line of the request is written by a later listener, and has the calls that are aborted here.
    raw.prependListener('close', () => {
      if (raw.writableFinished) return
      this.#run.cancel(callerGone)
      this.#log.closed()
    })
    countRun(this.#service.routes.load, raw, this.#run)
    this.#run.startFor(this)
  }

  resolve(answer: BatchAnswer): void {
    const { text, complete } = answer
    countBatchEnd(this.#service, this.#run, complete ? 'complete' : 'partial')
    deferIfSliced(() => {
      const reply = this.#reply
      // The caller may have closed the connection during the deferral.
      if (reply.raw.destroyed) return void reply.hijack()
      reply.headers(headersOf(answer))
      this.#log.replied(complete)
      reply.send(text.length > longText ? Buffer.from(text) : text)
    })
  }

  reject(error: unknown): void {
    countBatchEnd(this.#service, this.#run, error === callerGone ? 'cancelled' : 'failed')
    // If the caller has closed the connection, send no reply and log no failure.
    if (error === callerGone) return void this.#reply.hijack()
    if (error instanceof Problem) this.#log.failed(error)
    this.#reply.send(error)
  }
}
