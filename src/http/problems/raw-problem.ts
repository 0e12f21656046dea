import { randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { STATUS_CODES } from '../../core/node-http.ts'
import { Problem, type ErrorCode } from '../../errors.ts'
import { isLingering, linger } from '../connection/linger.ts'
import { isAnswered } from '../connection/unread-body.ts'
import type { ReportRefusal } from '../log/refusal-sampler.ts'
import { logRawReply } from '../log/request-log.ts'
import { countRawReply, recordOf } from '../metrics/request-counter.ts'
import { defaultHeaders } from '../reply/default-headers.ts'
import { problemBody } from './problem-body.ts'

const security = Object.entries(defaultHeaders)
  .map(([name, value]) => `${name}: ${value}\r\n`)
  .join('')

/**
 * Writes a problem reply to a connection, and closes the connection. If a request is in flight on it, the problem is
 * the reply to this request. Unless the caller has left, the metrics and the log line of the request show the problem.
 *
 * @returns The id of the reply. Undefined if nothing could be written, or if it is the reply to a request in flight.
 */
export function sendRawProblem(stream: Duplex, status: number, code: ErrorCode, headers = ''): string | undefined {
  // The service's servers have TCP sockets only.
  const socket = stream as Socket & { readonly _httpMessage?: ServerResponse | null }
  // Node's own handler reads the same field.
  const { _httpMessage: response } = socket
  if (
    !socket.writable ||
    isLingering(socket) ||
    isAnswered(socket) ||
    // While a response is being written, a problem would corrupt it.
    (response?.headersSent && !response.writableEnded)
  ) {
    socket.destroy()
    return undefined
  }
  // A response that is written completely was the reply to an earlier request.
  const open = response?.headersSent === false ? response : undefined
  const id = (open && recordOf(open)?.reply.request.id) ?? randomUUID()
  const problem = new Problem(code)
  const body = problemBody(problem, id)
  socket.write(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/problem+json\r\n` +
      `cache-control: no-store\r\nx-request-id: ${id}\r\n${security}${headers}` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  )
  linger(socket)
  if (open === undefined) return id
  // A caller that has ended its connection within its request has left. It may not read the reply.
  if (!socket.readableEnded) {
    countRawReply(open, problem)
    logRawReply(open, problem)
  }
  return undefined
}

const badRequest = { code: 'BAD_REQUEST', statusCode: 400 } as const

/** The refusals for error codes of Node's server. Any other code gives `badRequest`. */
const serverRefusals = {
  HPE_HEADER_OVERFLOW: { code: 'HEADERS_TOO_LARGE', statusCode: 431 },
  ERR_HTTP_REQUEST_TIMEOUT: { code: 'REQUEST_TIMEOUT', statusCode: 408 },
} as const

/** Replies to bytes that are not an HTTP request, and closes their connection. */
export function sendMalformedProblem(
  { code: reason }: Error & { readonly code?: string },
  socket: Socket,
  reportRefusal?: ReportRefusal,
): void {
  const { code, statusCode } = Object.hasOwn(serverRefusals, reason ?? '')
    ? serverRefusals[reason as keyof typeof serverRefusals]
    : badRequest
  const reqId = sendRawProblem(socket, statusCode, code)
  if (reqId !== undefined) reportRefusal?.({ reqId, code, statusCode, reason, remoteAddress: socket.remoteAddress })
}
