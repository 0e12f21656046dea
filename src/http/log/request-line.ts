import type { FastifyReply, FastifyRequest } from 'fastify'
import type { RequestOutcome } from './request-outcome.ts'
import type { LoggedAnswer } from './run-fields.ts'

/**
 * Writes the line of a request that was answered.
 *
 * @param answer The problem that was sent in place of the reply. @default the reply
 */
export function logEnd(
  request: FastifyRequest,
  reply: FastifyReply,
  { fields, msg }: RequestOutcome,
  level: RequestOutcome['level'],
  answer: LoggedAnswer = reply,
): void {
  const { elapsedTime: responseTime } = reply
  if (fields === undefined) return request.log[level]({ req: request, res: answer, responseTime }, msg)
  fields.req = request
  fields.res = answer
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

/**
 * Returns the side that closed a connection. A caller ends or resets it; the service destroys it, which cancels a write
 * in progress.
 */
export function closedBy({ raw: { socket } }: FastifyRequest): 'caller' | 'service' {
  const { readableEnded, errored } = socket
  return readableEnded || (errored !== null && !isCancelled(errored)) ? 'caller' : 'service'
}

/** The socket of an injected request has no `errored`. */
function isCancelled(error: (Error & { readonly code?: string }) | undefined): boolean {
  return error?.code === 'ECANCELED'
}
