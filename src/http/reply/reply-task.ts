import type { FastifyReply, FastifyRequest } from 'fastify'
import { hasBigint } from '../../core/json/needs-exact.ts'
import { writeJson } from '../../core/json/write.ts'
import { deferIfSliced } from '../../core/sliced.ts'
import type { AnyAggregate } from '../../fanout/aggregate.ts'
import type { Reply } from '../../fanout/reply.ts'
import type { RunCompletion, Run } from '../../fanout/run.ts'
import type { SourcesLevel } from '../../fanout/sources-level.ts'
import { Problem } from '../../errors.ts'
import { sampledTraceId } from '../../trace/sampled-trace-id.ts'
import { recordOf } from '../metrics/request-counter.ts'
import { CallerCredentials } from '../log/caller-credentials.ts'
import { CompleteRun, type CompleteRunSampler } from '../log/complete-run.ts'
import { logProblem } from '../log/failure-outcome.ts'
import type { LoggedOutcomes } from '../log/losses.ts'
import { logClosed } from '../log/request-line.ts'
import { hasRequestLog, logOutcome, setRun, type LoggedRun, type RequestOutcome } from '../log/request-outcome.ts'
import { failureFields, partialFields, type FailedRunFields, type RunFields } from '../log/run-fields.ts'
import { mayBeStored, varyOfCacheable, type LoggedWarnings } from './cache-control.ts'
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
export class ReplyTask implements RunCompletion, LoggedRun {
  readonly #aggregate: AnyAggregate
  readonly #load: LoadGauge | undefined
  readonly #loggedWarnings: LoggedWarnings
  readonly #completeRuns: CompleteRunSampler
  /** The part of the sources that the caller sees. */
  readonly #level: SourcesLevel
  readonly #request: FastifyRequest
  readonly #reply: FastifyReply
  readonly #run: Run
  /** Created for the first line with a reason. */
  #credentials: CallerCredentials | undefined
  /** The failure of the run, once it is known. */
  #problem: Problem | undefined
  /** True if the outcome of the request is known, so that its line is complete. */
  #hasOutcome = false

  constructor(
    aggregate: AnyAggregate,
    { load, loggedWarnings, completeRuns, sources }: RouteServices,
    request: FastifyRequest,
    reply: FastifyReply,
    run: Run,
  ) {
    this.#aggregate = aggregate
    this.#load = load
    this.#loggedWarnings = loggedWarnings
    this.#completeRuns = completeRuns
    this.#level = aggregate.route.sources ?? sources
    this.#request = request
    this.#reply = reply
    this.#run = run
  }

  start(): void {
    const { raw } = this.#reply
    setRun(this.#request, this)
    // The line of the request is written by a later listener, and has the steps that are cancelled here.
    raw.prependListener('close', () => {
      if (raw.writableFinished) return
      this.#run.cancel(callerGone)
      if (!this.#hasOutcome) this.#logClosed()
    })
    if (this.#load !== undefined) this.#load.runs++
    const record = recordOf(raw)
    if (record !== undefined) {
      record.hasRun = true
      record.traceId = sampledTraceId(this.#run.trace)
    }
    this.#run.startFor(this)
  }

  resolve(result: Reply<unknown, string>): void {
    this.#countEnd(false)
    // If a large response completed the run, the reply is large too, so it is written in a later turn of the event
    // loop.
    deferIfSliced(() => this.#write(result))
  }

  reject(error: unknown): void {
    this.#countEnd(error instanceof Problem && error.code === 'BULKHEAD_FULL')
    // If the caller has closed the connection, send no reply and log no failure.
    if (error === callerGone) return void this.#reply.hijack()
    if (error instanceof Problem) {
      this.#problem = error
      this.#hasOutcome = true
      logProblem(this.#request, this.#reply, error, this.#callerCredentials())
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
        this.#run.reads !== undefined && mayBeStored(result)
          ? writeJson(result.data ?? null, hasBigint(this.#aggregate.schema))
          : undefined
      const vary =
        data === undefined
          ? undefined
          : varyOfCacheable(this.#aggregate, result, this.#run, this.#loggedWarnings, this.#request.log)
      text = writeReply(this.#aggregate, result, this.#level, data, vary, this.#request, this.#reply)
    } catch (error) {
      text = error
    }
    if (text === undefined || typeof text === 'string') this.#logResult(result)
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

  /** Returns the fields of the run, for the line of a failure of the run or of its reply. */
  failedRunFields(): FailedRunFields {
    const { name, route } = this.#aggregate
    if (this.#problem !== undefined)
      return failureFields(
        this.#aggregate,
        this.#run.lost,
        (this.#problem.sources ?? {}) as LoggedOutcomes,
        this.#problem,
        this.#callerCredentials(),
      )
    const { sources } = this.#partialFields(this.#run.outcomes)
    return { aggregate: name, url: route.url, sources }
  }

  #partialFields(outcomes: LoggedOutcomes): RunFields {
    return partialFields(this.#aggregate, this.#run.lost, outcomes, this.#callerCredentials())
  }

  #callerCredentials(): CallerCredentials {
    return (this.#credentials ??= new CallerCredentials(this.#request.headers))
  }

  #logResult({ complete, sources }: Reply<unknown, string>): void {
    this.#hasOutcome = true
    const outcome: RequestOutcome = complete
      ? new CompleteRun(this.#aggregate, sources, !this.#completeRuns.shouldLog(), this.#completeMessage())
      : { level: 'warn', fields: this.#partialFields(sources), msg: 'reply is partial' }
    logOutcome(this.#request, outcome, this.#reply.elapsedTime)
  }

  /** Returns the message of a complete run. Fastify's own log controller writes `request completed` itself. */
  #completeMessage(): string {
    return hasRequestLog(this.#request) ? 'request completed' : 'run completed'
  }

  /** Logs a run whose caller has closed the connection. */
  #logClosed(): void {
    this.#hasOutcome = true
    const fields = this.#partialFields(this.#run.outcomes)
    const outcome: RequestOutcome = { level: 'info', fields, msg: 'request completed' }
    if (hasRequestLog(this.#request)) logOutcome(this.#request, outcome)
    else logClosed(this.#request, this.#reply, outcome)
  }

  #countEnd(isRefused: boolean): void {
    if (this.#load === undefined) return
    this.#load.runs--
    if (isRefused) this.#load.refused++
    else this.#load.served++
  }
}
