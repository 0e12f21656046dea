import type { FastifyReply, FastifyRequest } from 'fastify'
import type { BatchCompletion } from '../../batch/batch-start.ts'
import type { BatchAnswer } from '../../batch/result.ts'
import type { BatchRun } from '../../batch/start-batch.ts'
import { deferIfSliced } from '../../core/sliced.ts'
import { Problem } from '../../errors.ts'
import type { RunOutcome } from '../../metrics/aggregate-metrics.ts'
import type { BatchMetrics } from '../../metrics/batch-metrics.ts'
import { sampledTraceId } from '../../trace/sampled-trace-id.ts'
import { setRun } from '../log/request-outcome.ts'
import { recordOf } from '../metrics/request-counter.ts'
import { callerGone } from '../reply/reply-task.ts'
import type { LoadGauge } from '../reply/route-services.ts'
import { BatchLog } from './batch-log.ts'
import type { BatchService } from './batch-service.ts'

/** One batch in flight: starts its calls, then writes the reply. */
export class BatchTask implements BatchCompletion {
  readonly #load: LoadGauge | undefined
  readonly #metrics: BatchMetrics
  readonly #reply: FastifyReply
  readonly #request: FastifyRequest
  readonly #run: BatchRun
  readonly #log: BatchLog

  constructor({ routes, metrics }: BatchService, request: FastifyRequest, reply: FastifyReply, run: BatchRun) {
    this.#load = routes.load
    this.#metrics = metrics
    this.#request = request
    this.#reply = reply
    this.#run = run
    this.#log = new BatchLog(routes.completeRuns, request, reply, run)
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
    if (this.#load !== undefined) this.#load.runs++
    const record = recordOf(raw)
    if (record !== undefined) {
      record.hasRun = true
      record.traceId = sampledTraceId(this.#run.trace)
    }
    this.#run.startFor(this)
  }

  resolve({ text, complete, retryAfter }: BatchAnswer): void {
    this.#countEnd(complete ? 'complete' : 'partial')
    deferIfSliced(() => {
      const reply = this.#reply
      // The caller may have closed the connection during the deferral.
      if (reply.raw.destroyed) return void reply.hijack()
      reply.header('content-type', 'application/json; charset=utf-8').header('cache-control', 'no-store')
      if (retryAfter !== undefined) reply.header('retry-after', String(retryAfter))
      this.#log.replied(complete)
      reply.send(text)
    })
  }

  reject(error: unknown): void {
    this.#countEnd(error === callerGone ? 'cancelled' : 'failed')
    // If the caller has closed the connection, send no reply and log no failure.
    if (error === callerGone) return void this.#reply.hijack()
    if (error instanceof Problem) this.#log.failed(error)
    this.#reply.send(error)
  }

  #countEnd(outcome: RunOutcome): void {
    this.#metrics.batchEnded(outcome, this.#run.counts)
    if (this.#load === undefined) return
    this.#load.runs--
    this.#load.served++
  }
}
