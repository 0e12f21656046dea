import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { discardBytes, lingerAfterAnswer } from './linger.ts'
import { countBodyBytes } from './received-bytes.ts'

const answered = Symbol('headwaters.answered')
const invite = Symbol('headwaters.invite')

type Answered = Socket & { [answered]?: IncomingMessage }
type Invited = IncomingMessage & { [invite]?: ServerResponse | undefined }

/** Returns whether a request has a body. */
export function hasBody({ headers }: IncomingMessage): boolean {
  const length = headers['content-length']
  return headers['transfer-encoding'] !== undefined || (length !== undefined && Number(length) !== 0)
}

/**
 * Decides what becomes of the connection when a request is answered before its body has come. A body with a
 * `content-length` of at most
 * `discardBytes` is discarded, and the connection is kept. Behind any other body the connection is closed.
 *
 * @returns Whether the connection closes after this answer.
 */
export function closeIfUnread(request: Invited, response: ServerResponse): boolean {
  // HTTP/2 has streams, which end by themselves; a request that was injected has no connection.
  if (request.complete !== false || request.httpVersionMajor !== 1 || !hasBody(request)) return false
  const socket: Answered = request.socket
  socket[answered] = request
  const { 'content-length': length, 'transfer-encoding': coding } = request.headers
  // A client that was not asked for its body may leave it out, so the next byte may be of the body or not.
  if (coding === undefined && Number(length) <= discardBytes && request[invite] === undefined) {
    // What Node discards is not counted as it comes.
    countBodyBytes(socket, Number(length))
    return false
  }
  response.shouldKeepAlive = false
  lingerAfterAnswer(socket, Number(length) > discardBytes)
  return true
}

/** Returns whether the request that is being received has been answered already. */
export function isAnswered(socket: Answered): boolean {
  return socket[answered]?.complete === false
}

/**
 * Discards a body that nothing reads, as it comes. It stops after `discardBytes`, and the connection is then closed
 * behind the answer.
 */
export function discardBody(request: IncomingMessage): void {
  if (request.complete !== false || request.httpVersionMajor !== 1 || !hasBody(request)) return
  let left = discardBytes
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length
    if (left < 0) request.pause()
  })
}

/** Remembers that the client waits for `100 Continue` before it sends its body. */
export function awaitInvitation(request: Invited, response: ServerResponse): void {
  request[invite] = response
}

/** Sends `100 Continue` where the client waits for it. */
export function inviteBody(request: Invited): void {
  request[invite]?.writeContinue()
  request[invite] = undefined
}
