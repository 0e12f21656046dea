import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { Problem } from '../errors.ts'
import { answerRaw } from './answer-raw.ts'

/**
 * Refuses, as problems, what Node would answer with an empty body or not at all: no `Host` or two of them (RFC 9112, section 3.2),
 * an unknown `Expect`, and `CONNECT`. The server must leave a missing `Host` to us (`requireHostHeader: false`).
 */
export function framing (app: FastifyInstance): void {
  app.server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) => {
    const body = JSON.stringify(new Problem('EXPECTATION_FAILED'))
    response.writeHead(417, { 'content-type': 'application/problem+json', 'cache-control': 'no-store', 'content-length': Buffer.byteLength(body), connection: 'close' }).end(body)
  })
  app.server.on('connect', (_request: IncomingMessage, socket: Duplex) => answerRaw(socket, 405, 'METHOD_NOT_ALLOWED', 'allow: GET, HEAD, POST, OPTIONS\r\n'))
  app.addHook('onRequest', ({ raw }, reply, done) => {
    const hosts = hostsOf(raw)
    if (hosts === 1 || (hosts === 0 && raw.httpVersion === '1.0')) return done()
    reply.header('connection', 'close')
    done(new Problem('BAD_REQUEST', { detail: `The request names ${hosts === 0 ? 'no host' : 'several hosts'}: it must name one.` }))
  })
}

/** How many `Host` headers came; Node keeps the first and says nothing of the others. */
function hostsOf ({ rawHeaders }: IncomingMessage): number {
  let hosts = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++
  }
  return hosts
}
