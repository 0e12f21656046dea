import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

/** The caller's own `x-request-id` where it is short and plain, or a new one. */
export function requestIdOf({ headers }: IncomingMessage): string {
  const given = headers['x-request-id']
  return typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given) ? given : randomUUID()
}

/** Tells every caller the id under which its request is in the log. */
export function addRequestId(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    if (!reply.hasHeader('x-request-id')) reply.header('x-request-id', request.id)
    done()
  })
}

/**
 * Returns the id that a request is answered with: what the reply's header says, which another hook of the app may have
 * set.
 */
export function replyRequestId({ id }: FastifyRequest, reply: FastifyReply): string {
  return String(reply.getHeader('x-request-id') ?? id)
}
