import type { FastifyInstance } from 'fastify'
import type { Readiness } from './health.ts'

/**
 * Makes closing end in time: from its start every reply closes its connection, and idle ones are closed.
 * Without this an idle keep-alive connection holds `close` for as long as the caller likes.
 */
export function drain (app: FastifyInstance, readiness: Readiness): void {
  app.addHook('preClose', done => {
    readiness.isDraining = true
    app.server.closeIdleConnections()
    done()
  })
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (readiness.isDraining) reply.header('connection', 'close')
    done(null, payload)
  })
}
