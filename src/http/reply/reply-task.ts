import type { FastifyReply, FastifyRequest } from 'fastify'
import { deferIfSliced } from '../../core/sliced.ts'
import type { AnyAggregate } from '../../fanout/aggregate.ts'
import type { Reply } from '../../fanout/reply.ts'
import type { Run } from '../../fanout/run.ts'
import type { RunCompletion } from '../../fanout/run-options.ts'
import type { SourcesLevel } from '../../fanout/sources-level.ts'
import { Problem } from '../../errors.ts'
import { setRun } from '../log/request-outcome.ts'
import { cacheableParts, type LoggedWarnings } from './cache-control.ts'
import { notModified } from './not-modified.ts'
import type { LoadGauge, RouteServices } from './route-services.ts'
import { countRun, countRunEnd } from './run-counts.ts'
import { RunLog } from './run-log.ts'
import { sendWithoutBody } from './without-body.ts'
import { replyBody, setReplyHeaders } from './write-reply.ts'

/** The reason with which a run is cancelled when its caller has closed the connection. */
export const callerGone = new DOMException('the caller has gone', 'AbortError')

/**
 * A reply with more characters is sent as bytes. With a text, Node would concatenate the head and the text, which
 * copies both.
 */
export const longText = 16 * 1024

/** One request in flight: starts its run, then writes the reply or passes on the error. */
export class ReplyTask implements RunCompletion {
  readonly #aggregate: AnyAggregate
  readonly #load: LoadGauge | undefined
  readonly #loggedWarnings: LoggedWarnings
  /** The part of the sources that the caller sees. */
  readonly #level: SourcesLevel
  readonly #request: FastifyRequest
  readonly #reply: FastifyReply
  readonly #run: Run
  readonly #log: RunLog

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
    this.#level = aggregate.route.sources ?? sources
    this.#request = request
    this.#reply = reply
    this.#run = run
    this.#log = new RunLog(aggregate, completeRuns, request, reply, run)
  }

  start(): void {
    const { raw } = this.#reply
    setRun(this.#request, this.#log)
    // The line of the request is written by a later listener, and has the steps that are cancelled here.
    raw.prependListener('close', () => {
      if (raw.writableFinished) return
      this.#run.cancel(callerGone)
      this.#log.closed()
    })
    countRun(this.#load, raw, this.#run)
    this.#run.startFor(this)
  }

  resolve(result: Reply<unknown, string>): void {
    countRunEnd(this.#load)
    // If a large response completed the run, the reply is large too, so it is written in a later turn of the event
    // loop.
    deferIfSliced(() => this.#write(result))
  }

  reject(error: unknown): void {
    countRunEnd(this.#load, error)
    // If the caller has closed the connection, send no reply and log no failure.
    if (error === callerGone) return void this.#reply.hijack()
    if (error instanceof Problem) this.#log.failed(error)
    this.#reply.send(error)
  }

  #write(result: Reply<unknown, string>): void {
    if (this.#isCallerGone()) return
    let text: unknown
    try {
      const cacheable = cacheableParts(this.#aggregate, result, this.#run, this.#loggedWarnings, this.#request.log)
      text = this.#prepare(result, cacheable?.data, cacheable?.vary)
    } catch (error) {
      text = error
      this.#log.unwritten(result)
    }
    if (text === undefined || typeof text === 'string') this.#log.replied(result)
    if (text === undefined) return
    if (typeof text !== 'string' || text.length <= longText) return void this.#reply.send(text)
    deferIfSliced(() => {
      if (!this.#isCallerGone()) this.#reply.send(Buffer.from(text))
    })
  }

  /** Sets the head of the reply and returns its body. Returns undefined if it has sent a reply without a body. */
  #prepare(result: Reply<unknown, string>, data: string | undefined, vary: string | undefined): string | undefined {
    const tag = setReplyHeaders(this.#aggregate, result, this.#level, data, vary, this.#reply, this.#run.isRehearsed)
    if (tag !== undefined && notModified(this.#request, this.#reply, tag)) return undefined
    const body = replyBody(this.#aggregate, result, this.#level, data)
    if (body === undefined) sendWithoutBody(this.#request, this.#reply, 204)
    return body
  }

  /** Returns whether the caller closed the connection during a deferral. The reply is then hijacked and not sent. */
  #isCallerGone(): boolean {
    const { destroyed } = this.#reply.raw
    if (destroyed) this.#reply.hijack()
    return destroyed
  }
}
