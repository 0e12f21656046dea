import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { discardBytes, lingerAfterAnswer } from './linger.ts'
import { countBodyBytes } from './received-bytes.ts'

/** The key of the request whose reply was sent before its body was received. */
const answered = Symbol('headwaters.answered')
/** The key of the response to a request whose client waits for `100 Continue`. */
const invite = Symbol('headwaters.invite')

type Answered = Socket & { [answered]?: IncomingMessage }
type Invited = IncomingMessage & { [invite]?: ServerResponse | undefined }

/** Returns whether a request has a body. */
export function hasBody({ headers }: IncomingMessage): boolean {
  const length = headers['content-length']
  return headers['transfer-encoding'] !== undefined || (length !== undefined && Number(length) !== 0)
}

/**
 * Handles the unread body of a request whose reply is written. A body with a `content-length` of at most
 * `discardBytes` is discarded and the connection stays open. With any other body the connection closes.
 *
 * @returns Whether the connection closes after this reply.
 */
export function closeIfUnread(request: Invited, response: ServerResponse): boolean {
  // An HTTP/2 stream ends by itself. An injected request has no connection.
  if (request.complete !== false || request.httpVersionMajor !== 1 || !hasBody(request)) return false
  const socket: Answered = request.socket
  socket[answered] = request
  const { 'content-length': length, 'transfer-encoding': coding } = request.headers
  // A client that got no `100 Continue` may omit its body, so the next byte may belong to the body or to the next
  // request.
  if (coding === undefined && Number(length) <= discardBytes && request[invite] === undefined) {
    // Node discards these bytes without calling `push`, so they are counted here.
    countBodyBytes(socket, Number(length))
    return false
  }
  response.shouldKeepAlive = false
  lingerAfterAnswer(socket, Number(length) > discardBytes)
  return true
}

/** Returns whether the reply to a request is written while its body is still being received. */
export function isAnswered(socket: Answered): boolean {
  return socket[answered]?.complete === false
}

/**
 * Discards an unread body as it arrives, at most `discardBytes` of it. If more bytes arrive, the connection closes
 * after the reply.
 */
export function discardBody(request: IncomingMessage): void {
  if (request.complete !== false || request.httpVersionMajor !== 1 || !hasBody(request)) return
  let bytesLeft = discardBytes
  request.on('data', (chunk: Buffer) => {
    bytesLeft -= chunk.length
    if (bytesLeft < 0) request.pause()
  })
}

/** Marks a request whose client waits for `100 Continue` before it sends its body. */
export function awaitInvitation(request: Invited, response: ServerResponse): void {
  request[invite] = response
}

/** Sends `100 Continue` if the client waits for it. */
export function inviteBody(request: Invited): void {
  request[invite]?.writeContinue()
  request[invite] = undefined
}
