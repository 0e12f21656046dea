import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { Problem } from '../../errors.ts'
import { awaitInvitation } from '../connection/unread-body.ts'
import type { ReportRefusal } from '../log/refusal-sampler.ts'
import { problemBody } from '../problems/problem-body.ts'
import { sendMalformedProblem, sendRawProblem } from '../problems/raw-problem.ts'
import { defaultHeaders } from '../reply/default-headers.ts'
import { requestIdOf } from '../request/request-id.ts'

/**
 * Replies with problems where Node's server sends an empty body or closes the connection: to malformed requests, to an
 * unknown `Expect` header, and to `CONNECT`.
 */
export function handleServerEvents(server: Server, reportRefusal?: ReportRefusal): void {
  server.on('clientError', (error: Error, socket: Duplex) =>
    sendMalformedProblem(error, socket as Socket, reportRefusal),
  )
  // Without this listener, Node sends 100 Continue at once, also for a request that is refused later.
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    awaitInvitation(request, response)
    server.emit('request', request, response)
  })
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    const id = requestIdOf(request)
    const body = problemBody(new Problem('EXPECTATION_FAILED'), id)
    response
      .writeHead(417, {
        ...defaultHeaders,
        'content-type': 'application/problem+json',
        'cache-control': 'no-store',
        'x-request-id': id,
        'content-length': Buffer.byteLength(body),
        connection: 'close',
      })
      .end(body)
    reportRefusal?.({
      reqId: id,
      code: 'EXPECTATION_FAILED',
      statusCode: 417,
      remoteAddress: request.socket.remoteAddress,
    })
  })
  server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    const reqId = sendRawProblem(socket, 405, 'METHOD_NOT_ALLOWED', 'allow: GET, HEAD, POST, OPTIONS\r\n')
    if (reqId !== undefined)
      reportRefusal?.({
        reqId,
        code: 'METHOD_NOT_ALLOWED',
        statusCode: 405,
        remoteAddress: (socket as Socket).remoteAddress,
      })
  })
}
