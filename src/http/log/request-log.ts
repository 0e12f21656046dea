import type { ServerResponse } from 'node:http'
import { LogController, type FastifyReply, type FastifyRequest } from 'fastify'
import type { RefusalSampler } from './refusal-sampler.ts'
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

type Response = ServerResponse & { [replyKey]?: FastifyReply | undefined }

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
    const outcome = (request as RequestWithOutcome)[outcomeKey] ?? completed
    if (!isComplete) return logClosed(request, reply, outcome)
    const { refusal, isSampledOut } = outcome
    const isOmitted = isSampledOut === true || (refusal !== undefined && !this.#refusals.shouldLog(refusal))
    const level = isOmitted ? 'debug' : outcome.level
    // Without a logger the app has one that writes nothing and has no levels.
    if ((request.log as LeveledLog).isLevelEnabled?.(level) === true) logEnd(request, reply, outcome, level)
  }
}

/** Writes the line of a request whose reply is complete. */
export function logEnd(
  request: FastifyRequest,
  reply: FastifyReply,
  { fields, msg }: RequestOutcome,
  level: RequestOutcome['level'],
): void {
  const { elapsedTime: responseTime } = reply
  if (fields === undefined) return request.log[level]({ req: request, res: reply, responseTime }, msg)
  fields.req = request
  fields.res = reply
  fields.responseTime = responseTime
  request.log[level](fields, msg)
}

/** Logs that a connection closed before the reply was complete. */
export function logClosed(request: FastifyRequest, reply: FastifyReply, { level, fields }: RequestOutcome): void {
  request.log[level](
    { ...fields, req: request, responseTime: reply.elapsedTime, closedBy: closedBy(request) },
    'connection closed before the reply was complete',
  )
}

/** Returns the side that closed a connection. A caller ends or resets it; the service destroys it. */
function closedBy({ raw: { socket } }: FastifyRequest): 'caller' | 'service' {
  return socket.readableEnded || socket.errored !== null ? 'caller' : 'service'
}
