import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { Problem, type ErrorCode } from '../../errors.ts'
import { isLingering, linger } from '../connection/linger.ts'
import { problemBody } from './problem-body.ts'
import { securityHeaders } from '../reply/default-headers.ts'
import { isAnswered } from '../connection/unread-body.ts'

const security = Object.entries(securityHeaders)
  .map(([name, value]) => `${name}: ${value}\r\n`)
  .join('')

/**
 * Answers a problem on a connection that no reply belongs to, and closes it.
 *
 * @returns The id of the answer; `undefined` where nothing could be said any more, or where a request is under way,
 * which has a line of its own in the log.
 */
export function sendRawProblem(stream: Duplex, status: number, code: ErrorCode, headers = ''): string | undefined {
  // Servers of ours have sockets of TCP.
  const socket = stream as Socket & {
    readonly _httpMessage?: { readonly headersSent: boolean; readonly writableEnded: boolean } | null
  }
  // In the middle of an answer nothing else can be said; Node's own handler looks at the same field. A request has one
  // answer.
  const { _httpMessage: answering } = socket
  if (
    !socket.writable ||
    isLingering(socket) ||
    isAnswered(socket) ||
    (answering?.headersSent && !answering.writableEnded)
  ) {
    socket.destroy()
    return undefined
  }
  const id = randomUUID()
  const body = problemBody(new Problem(code), id)
  socket.write(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/problem+json\r\ncache-control: no-store\r\nx-request-id: ${id}\r\n${security}${headers}` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  )
  linger(socket)
  return answering ? undefined : id
}
