import type { ServerResponse } from 'node:http'
import { LogController, type FastifyReply, type FastifyRequest } from 'fastify'
import { outcomeKey, logOutcome, type RequestOutcome, type RequestWithOutcome } from './request-outcome.ts'
import type { RefusalSampler } from './refusal-sampler.ts'

const completed: RequestOutcome = { level: 'info', fields: {}, msg: 'request completed' }

/** The reply of a response that has no line yet. */
const open = Symbol('headwaters.reply')

type Response = ServerResponse & { [open]?: FastifyReply | undefined }

/**
 * Writes one line for each request, when it has ended, also where its connection closed before the reply was complete.
 */
export class RequestLog extends LogController {
  readonly #refusals: RefusalSampler
  readonly #closed: (this: Response) => void

  constructor(refusals: RefusalSampler) {
    super()
    this.#refusals = refusals
    const left = (reply: FastifyReply, isComplete: boolean) => {
      this.#end(reply, isComplete)
    }
    // One function for all responses.
    this.#closed = function () {
      if (this[open] !== undefined) left(this[open], this.writableFinished)
    }
  }

  override incomingRequest(request: FastifyRequest, reply: FastifyReply): void {
    request.log.debug({ req: request }, 'incoming request')
    const raw: Response = reply.raw
    raw[open] = reply
    ;(request as RequestWithOutcome)[outcomeKey] = null
    raw.on('close', this.#closed)
  }

  override requestCompleted(error: Error | null | undefined, request: FastifyRequest, reply: FastifyReply): void {
    if (error) logOutcome(request, { level: 'error', fields: { err: error }, msg: 'a reply could not be written' })
    this.#end(reply, true)
  }

  #end(reply: FastifyReply, isComplete: boolean): void {
    const raw: Response = reply.raw
    if (raw[open] === undefined) return
    raw[open] = undefined
    const { request, elapsedTime: responseTime } = reply
    const { level, fields, msg, refusal } = (request as RequestWithOutcome)[outcomeKey] ?? completed
    if (!isComplete)
      request.log[level](
        { req: request, responseTime, ...fields, closedBy: closedBy(request) },
        'the connection closed before the reply was complete',
      )
    else if (refusal !== undefined && !this.#refusals.shouldLog(refusal))
      request.log.debug({ req: request, res: reply, responseTime, ...fields }, msg)
    else request.log[level]({ req: request, res: reply, responseTime, ...fields }, msg)
  }
}

/** A caller that closes a connection ends it or resets it; the service destroys it. */
function closedBy({ raw: { socket } }: FastifyRequest): 'caller' | 'service' {
  return socket.readableEnded || socket.errored !== null ? 'caller' : 'service'
}
