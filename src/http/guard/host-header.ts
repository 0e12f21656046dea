import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { Problem } from '../../errors.ts'
import { sendRawProblem } from '../problems/raw-problem.ts'
import { problemBody } from '../problems/problem-body.ts'
import { isClosing, lingerAfterAnswer } from '../connection/linger.ts'
import { sendMalformedProblem } from '../problems/problem-handler.ts'
import type { ReportRefusal } from '../log/refusal-sampler.ts'
import { requestIdOf } from '../request/request-id.ts'
import { securityHeaders } from '../reply/default-headers.ts'
import { transferEncodingProblem } from '../request/transfer-encoding.ts'
import { awaitInvitation } from '../connection/unread-body.ts'

/**
 * Refuses, as a problem, a request without a `Host` or with two of them (RFC 9112, section 3.2), and a transfer coding
 * that is not chunked.
 */
export function checkHostHeader(app: FastifyInstance, tell: ReportRefusal): void {
  handleServerEvents(app.server, tell)
  app.addHook('onRequest', ({ raw }, reply, done) => {
    // The answer to this one is never sent.
    if (isClosing(raw.socket)) return done(new Problem('BAD_REQUEST'))
    if (raw.headers['transfer-encoding'] !== undefined) {
      // Its framing counts as faulty, so the connection closes behind it (RFC 9112, section 6.1).
      if (raw.httpVersion === '1.0') {
        reply.header('connection', 'close')
        lingerAfterAnswer(raw.socket)
      }
      const problem = transferEncodingProblem(raw)
      if (problem !== undefined) return done(problem)
    }
    const hosts = hostsOf(raw)
    if (hosts === 1 || (hosts === 0 && raw.httpVersion === '1.0')) return done()
    reply.header('connection', 'close')
    done(
      new Problem('BAD_REQUEST', {
        detail: `The request names ${hosts === 0 ? 'no host' : 'several hosts'}: it must name one.`,
      }),
    )
  })
}

/**
 * Refuses, as problems, what a server answers with an empty body or not at all: bytes that are no HTTP, an unknown
 * `Expect`, and `CONNECT`.
 */
export function handleServerEvents(server: Server, tell?: ReportRefusal): void {
  server.on('clientError', (error: Error, socket: Duplex) => sendMalformedProblem(error, socket as Socket, tell))
  // Node would ask for each body at once, also where the request is going to be refused.
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    awaitInvitation(request, response)
    server.emit('request', request, response)
  })
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    const id = requestIdOf(request)
    const body = problemBody(new Problem('EXPECTATION_FAILED'), id)
    response
      .writeHead(417, {
        ...securityHeaders,
        'content-type': 'application/problem+json',
        'cache-control': 'no-store',
        'x-request-id': id,
        'content-length': Buffer.byteLength(body),
        connection: 'close',
      })
      .end(body)
    tell?.({ reqId: id, code: 'EXPECTATION_FAILED', statusCode: 417, remoteAddress: request.socket.remoteAddress })
  })
  server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    const reqId = sendRawProblem(socket, 405, 'METHOD_NOT_ALLOWED', 'allow: GET, HEAD, POST, OPTIONS\r\n')
    if (reqId !== undefined)
      tell?.({ reqId, code: 'METHOD_NOT_ALLOWED', statusCode: 405, remoteAddress: (socket as Socket).remoteAddress })
  })
}

/** How many `Host` headers came; Node keeps the first and says nothing of the others. */
function hostsOf({ rawHeaders }: IncomingMessage): number {
  let hosts = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++
  }
  return hosts
}
