import type { Socket } from 'node:net'

/** Bytes of a refused body that are read and discarded. */
export const discardBytes = 64 * 1024

/** Time that a client has to read the end of the reply, in ms. */
const lingerMs = 1000

/** Bytes that may still be discarded. */
const bytesLeft = Symbol('headwaters.bytesLeft')
const closing = Symbol('headwaters.closing')

type Marked = Socket & { [bytesLeft]?: number; [closing]?: true }

/** Returns whether the last reply was written to the socket. */
export function isLingering(socket: Marked): boolean {
  return socket[bytesLeft] !== undefined
}

/**
 * Returns whether a request before this one closes the connection, so that no later request is processed (RFC 9112,
 * section 9.6).
 */
export function isClosing(socket: Marked): boolean {
  return socket[closing] === true
}

/**
 * Makes the socket linger after the next reply. Without this, Node destroys the socket at once.
 *
 * @param isLong Whether the body is longer than `discardBytes`. None of it is then discarded.
 */
export function lingerAfterAnswer(socket: Marked, isLong = false): void {
  socket[closing] = true
  socket.destroySoon = isLong ? endOnly : destroySoon
}

/**
 * Ends the connection after the written bytes: sends FIN, then reads and discards at most `maxBytes`, and destroys the
 * socket `lingerMs` later. Closing a socket with unread bytes resets the connection, and a reset can delete the reply
 * at the client before it is read (RFC 9112, section 9.6).
 */
export function linger(socket: Marked, maxBytes = discardBytes): void {
  if (isLingering(socket)) return
  socket[bytesLeft] = maxBytes
  socket.end()
  // Without this, the HTTP parser would read the next request.
  for (const listener of socket.listeners('data')) socket.removeListener('data', listener as () => void)
  socket.on('data', discard)
  if (maxBytes > 0) socket.resume()
  else socket.pause()
  if (socket.writableFinished) destroyLater.call(socket)
  else socket.once('finish', destroyLater)
}

function destroySoon(this: Socket): void {
  linger(this)
}

function endOnly(this: Socket): void {
  linger(this, 0)
}

function discard(this: Marked, chunk: Buffer): void {
  this[bytesLeft] = (this[bytesLeft] ?? 0) - chunk.length
  if (this[bytesLeft] <= 0) this.pause()
}

function destroyLater(this: Socket): void {
  setTimeout(destroy, lingerMs, this).unref()
}

function destroy(socket: Socket): void {
  socket.destroy()
}
