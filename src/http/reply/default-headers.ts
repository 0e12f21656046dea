import type { FastifyInstance } from 'fastify'

/**
 * What every reply tells a browser: take it for what it says it is, run nothing of it, show it in no frame, and name
 * this page to nobody.
 */
export const securityHeaders = Object.freeze({
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
})

const entries = Object.entries(securityHeaders)

/** Sends the security headers with every reply; a route that needs others sets its own. */
export function addSecurityHeaders(app: FastifyInstance): void {
  app.addHook('onRequest', (_request, reply, done) => {
    for (const [name, value] of entries) reply.header(name, value)
    done()
  })
}
