import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

/**
 * The headers of every reply of the service. Add a header of every reply here. They tell a browser not to guess the
 * content type, not to load anything, not to show the reply in a frame, and not to send a referrer.
 */
export const defaultHeaders = Object.freeze({
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
})

const entries = Object.entries(defaultHeaders)

/** Sends the default headers with every reply. A route that needs other values sets its own. */
export function addDefaultHeaders(app: FastifyInstance): void {
  app.addHook('onRequest', (_request, reply, done) => {
    for (const [name, value] of entries) reply.header(name, value)
    done()
  })
}

/** Sends `x-request-id` with every reply: the id of the request in the log. */
export function addRequestId(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    if (!reply.hasHeader('x-request-id')) reply.header('x-request-id', request.id)
    done()
  })
}

/** Returns the `x-request-id` of the reply. Another hook of the app may have set it. */
export function replyRequestId({ id }: FastifyRequest, reply: FastifyReply): string {
  return String(reply.getHeader('x-request-id') ?? id)
}
