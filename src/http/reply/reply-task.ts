import type { FastifyReply, FastifyRequest } from 'fastify'
import { hasBigint } from '../../core/json/needs-exact.ts'
import { writeJson } from '../../core/json/write.ts'
import { deferIfSliced } from '../../core/sliced.ts'
import type { AnyAggregate } from '../../fanout/aggregate.ts'
import type { Reply } from '../../fanout/reply.ts'
import type { RunCompletion, Run } from '../../fanout/run.ts'
import { Problem } from '../../errors.ts'
import { sampledTraceId } from '../../trace/sampled-trace-id.ts'
import type { Scope } from '../../upstream/call/call.ts'
import { recordOf } from '../metrics/request-counter.ts'
import { logOutcome, setRunFields } from '../log/request-outcome.ts'
import { failureFields, partialFields, type LoggedOutcomes } from '../log/run-fields.ts'
import { varyOfCacheable, type LoggedWarnings } from './cache-control.ts'
import type { LoadGauge, RouteServices } from './route-services.ts'
import { writeReply } from './write-reply.ts'

/** The reason with which a run is cancelled when its caller has closed the connection. */
const callerGone = new DOMException('the caller has gone', 'AbortError')

/**
 * A reply with more characters is sent as bytes. With a text, Node would concatenate the head and the text, which
 * copies both.
 */
const longText = 16 * 1024

/** One request in flight: starts its run, then writes the reply or passes on the error. */
export class ReplyTask implements RunCompletion {
  readonly #aggregate: AnyAggregate
  readonly #load: LoadGauge | undefined
  readonly #loggedWarnings: LoggedWarnings
  readonly #request: FastifyRequest
  readonly #reply: FastifyReply
  readonly #run: Run

  constructor(
    aggregate: AnyAggregate,
    { load, loggedWarnings }: RouteServices,
    request: FastifyRequest,
    reply: FastifyReply,
    run: Run,
  ) {
    this.#aggregate = aggregate
    this.#load = load
    this.#loggedWarnings = loggedWarnings
    this.#request = request
    this.#reply = reply
    this.#run = run
  }

  start(): void {
    const { raw } = this.#reply
    raw.on('close', () => {
      if (!raw.writableFinished) this.#run.cancel(callerGone)
    })
    if (this.#load !== undefined) this.#load.runs++
    const record = recordOf(raw)
    if (record !== undefined) {
      const { trace }: Scope = this.#run
      record.hasRun = true
      record.traceId = sampledTraceId(trace)
    }
    this.#run.startFor(this)
  }

  resolve(result: Reply<unknown, string>): void {
    this.#countEnd()
    if (!result.complete) this.#logPartial(result.sources)
    // If a large response completed the run, the reply is large too, so it is written in a later turn of the event
    // loop.
    deferIfSliced(() => this.#write(result))
  }

  reject(error: unknown): void {
    this.#countEnd()
    // If the caller has closed the connection, send no reply and log no failure.
    if (error === callerGone) return void this.#reply.hijack()
    if (error instanceof Problem) {
      const outcomes = (error.sources ?? {}) as LoggedOutcomes
      setRunFields(this.#request, failureFields(this.#aggregate, this.#run.lost, outcomes, error))
    }
    this.#reply.send(error)
  }

  #write(result: Reply<unknown, string>): void {
    if (this.#isCallerGone()) return
    let text: unknown
    try {
      // Writing the data may read headers that a layer added to a value, so `vary` is computed after the data is
      // written.
      const data =
        result.complete && this.#run.reads !== undefined
          ? writeJson(result.data ?? null, hasBigint(this.#aggregate.schema))
          : undefined
      const vary =
        data === undefined
          ? undefined
          : varyOfCacheable(this.#aggregate, this.#run, this.#loggedWarnings, this.#request.log)
      text = writeReply(this.#aggregate, result, data, vary, this.#request, this.#reply)
    } catch (error) {
      text = error
    }
    if (text === undefined) return
    if (typeof text !== 'string' || text.length <= longText) return void this.#reply.send(text)
    deferIfSliced(() => {
      if (!this.#isCallerGone()) this.#reply.send(Buffer.from(text))
    })
  }

  /** Returns whether the caller closed the connection during a deferral. The reply is then hijacked and not sent. */
  #isCallerGone(): boolean {
    const { destroyed } = this.#reply.raw
    if (destroyed) this.#reply.hijack()
    return destroyed
  }

  #logPartial(outcomes: LoggedOutcomes): void {
    const fields = partialFields(this.#aggregate, this.#run.lost, outcomes)
    logOutcome(this.#request, { level: 'info', fields, msg: 'reply is partial' })
  }

  #countEnd(): void {
    if (this.#load !== undefined) this.#load.runs--
  }
}
