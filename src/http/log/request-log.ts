import type { ServerResponse } from 'node:http'
import { LogController, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Problem } from '../../errors.ts'
import { CallerCredentials } from './caller-credentials.ts'
import { outcomeOf } from './failure-outcome.ts'
import type { RefusalSampler } from './refusal-sampler.ts'
import { logClosed, logEnd } from './request-line.ts'
import type { LoggedAnswer } from './run-fields.ts'
import {
  logOutcome,
  outcomeKey,
  runFieldsOf,
  type LeveledLog,
  type RequestOutcome,
  type RequestWithOutcome,
} from './request-outcome.ts'

const completed: RequestOutcome = { level: 'info', msg: 'request completed' }

/** The key of a response's reply. It is removed after the request was logged. */
const replyKey = Symbol('headwaters.reply')

/** The key of the problem that was written to the connection without the response object. */
const rawProblemKey = Symbol('headwaters.raw problem')

type Response = ServerResponse & { [replyKey]?: FastifyReply | undefined; [rawProblemKey]?: Problem }

/** Sets the problem that was written to the connection of a request without its response object, for its line. */
export function logRawReply(raw: Response, problem: Problem): void {
  raw[rawProblemKey] = problem
}

/** Logs one line per request when the request ends, also if its connection closes before the reply is complete. */
export class RequestLog extends LogController {
  readonly #refusals: RefusalSampler
  readonly #onClose: (this: Response) => void

  constructor(refusals: RefusalSampler) {
    super()
    this.#refusals = refusals
    const end = (reply: FastifyReply, isComplete: boolean) => {
      this.#end(reply, isComplete)
    }
    // One listener function for all responses.
    this.#onClose = function () {
      if (this[replyKey] !== undefined) end(this[replyKey], this.writableFinished)
    }
  }

  override incomingRequest(request: FastifyRequest, reply: FastifyReply): void {
    request.log.debug({ req: request }, 'incoming request')
    const raw: Response = reply.raw
    raw[replyKey] = reply
    ;(request as RequestWithOutcome)[outcomeKey] = null
    raw.on('close', this.#onClose)
  }

  override requestCompleted(error: Error | null | undefined, request: FastifyRequest, reply: FastifyReply): void {
    if (error) {
      const fields = { req: undefined, res: undefined, responseTime: undefined, err: error, ...runFieldsOf(request) }
      logOutcome(request, { level: 'error', fields, msg: 'reply could not be written' })
    }
    this.#end(reply, true)
  }

  #end(reply: FastifyReply, isComplete: boolean): void {
    const raw: Response = reply.raw
    if (raw[replyKey] === undefined) return
    raw[replyKey] = undefined
    const { request } = reply
    const { [rawProblemKey]: problem } = raw
    if (problem !== undefined) {
      const outcome = outcomeOf(problem, runFieldsOf(request), new CallerCredentials(request.headers))
      return this.#logEnd(request, reply, outcome, problem)
    }
    const outcome = (request as RequestWithOutcome)[outcomeKey] ?? completed
    if (isComplete) this.#logEnd(request, reply, outcome, reply)
    else logClosed(request, reply, outcome)
  }

  #logEnd(request: FastifyRequest, reply: FastifyReply, outcome: RequestOutcome, answer: LoggedAnswer): void {
    const { refusal, isSampledOut } = outcome
    const isOmitted = isSampledOut === true || (refusal !== undefined && !this.#refusals.shouldLog(refusal))
    const level = isOmitted ? 'debug' : outcome.level
    // Without a logger the app has one that writes nothing and has no levels.
    if ((request.log as LeveledLog).isLevelEnabled?.(level) === true) logEnd(request, reply, outcome, level, answer)
  }
}
