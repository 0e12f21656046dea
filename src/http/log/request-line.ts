import type { FastifyReply, FastifyRequest } from 'fastify'
import type { RequestOutcome } from './request-outcome.ts'

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
