import type { FastifyInstance } from 'fastify'
import { closeIfUnread } from './unread-body.ts'

/**
 * Closes the connection of a request whose reply is sent before its body is received, if the body is large or of
 * unknown length.
 */
export function closeOnUnreadBody(app: FastifyInstance): void {
  app.addHook('onSend', (request, reply, payload, done) => {
    if (closeIfUnread(request.raw, reply.raw)) reply.header('connection', 'close')
    done(null, payload)
  })
}
