import type { FastifyReply, FastifyRequest } from 'fastify'
import { toProblem, type Problem } from '../../errors.ts'
import type { AnyAggregate } from '../../fanout/aggregate.ts'
import type { Reply } from '../../fanout/reply.ts'
import type { Run } from '../../fanout/run.ts'
import type { SourcesLevel } from '../../fanout/sources-level.ts'
import { problemBody } from '../problems/problem-body.ts'
import { cacheableParts, type LoggedWarnings } from '../reply/cache-control.ts'
import type { RunLog } from '../reply/run-log.ts'
import { shownError } from '../reply/shown-problem.ts'
import { replyBody, setReplyHeaders } from '../reply/write-reply.ts'
import { eventText } from './event-text.ts'
import { ReplyCollector } from './reply-collector.ts'
import type { WaitingEvent } from './waiting-event.ts'

/** The parts of a request that its last event depends on. */
export interface EndContext {
  readonly aggregate: AnyAggregate
  readonly level: SourcesLevel
  readonly loggedWarnings: LoggedWarnings
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly run: Run
  readonly log: RunLog
}

/** Returns the JSON of the last event of a run that failed. Its body is that of the plain problem. */
export function problemText(request: FastifyRequest, failure: Problem): string {
  return writtenProblem(shownError(request, failure), request.id)
}

/** Returns the JSON of the event `problem`. */
export function writtenProblem(problem: Problem, id: string): string {
  const { statusCode: status, headers, retryAfterSeconds } = problem
  const text = problemBody(problem, id)
  const all: Record<string, string | readonly string[]> = {
    'content-type': 'application/problem+json; charset=utf-8',
    'cache-control': 'no-store',
    ...headers,
  }
  if (retryAfterSeconds !== undefined) all['retry-after'] = String(retryAfterSeconds)
  return eventText({ event: 'problem', status, headers: all, text }, 'full')
}

/**
 * The last event of a run that did not fail. It becomes text when it is the next event, and the reply is kept until
 * then. A reply that cannot be written becomes a problem.
 */
export class EndOfRun implements WaitingEvent {
  event: 'reply' | 'problem' = 'reply'
  readonly #context: EndContext
  /** The result, until it becomes text: a slow reader may keep this event long after that. */
  #result: Reply<unknown, string> | undefined

  constructor(context: EndContext, result: Reply<unknown, string>) {
    this.#context = context
    this.#result = result
  }

  text(): string {
    const { log } = this.#context
    const result = this.#result as Reply<unknown, string>
    this.#result = undefined
    try {
      const text = this.#replyText(result)
      log.replied(result)
      return text
    } catch (error) {
      this.event = 'problem'
      log.unwritten(result)
      const problem = toProblem(error)
      log.failed(problem)
      return problemText(this.#context.request, problem)
    }
  }

  #replyText(result: Reply<unknown, string>): string {
    const { aggregate, level, loggedWarnings, request, reply, run } = this.#context
    const cacheable = cacheableParts(aggregate, result, run, loggedWarnings, request.log)
    const sink = new ReplyCollector(reply)
    setReplyHeaders(aggregate, result, level, cacheable?.data, cacheable?.vary, sink, run.isRehearsed)
    const { status, fields: headers } = sink
    const text = replyBody(aggregate, result, level, cacheable?.data) ?? null
    return eventText({ event: 'reply', status, headers, text }, 'full')
  }
}
