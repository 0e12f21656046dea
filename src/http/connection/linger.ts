import type { Socket } from 'node:net'

/** Bytes of a refused body that are read and discarded. */
export const discardBytes = 64 * 1024

/** Time that a client has to read the end of the answer, in ms. */
const lingerMs = 1000

/** Bytes that may still be discarded. */
const left = Symbol('headwaters.left')
const closing = Symbol('headwaters.closing')

type Marked = Socket & { [left]?: number; [closing]?: true }

/** Returns whether the socket has been answered for the last time. */
export function isLingering(socket: Marked): boolean {
  return socket[left] !== undefined
}

/**
 * Returns whether a request before this one closes the connection, so that no later request is processed (RFC 9112,
 * section 9.6).
 */
export function isClosing(socket: Marked): boolean {
  return socket[closing] === true
}

/**
 * Makes the socket linger after the next answer, where Node would destroy it.
 *
 * @param isLong Whether more is to come than would be discarded, so that discarding some of it is of no use.
 */
export function lingerAfterAnswer(socket: Marked, isLong = false): void {
  socket[closing] = true
  socket.destroySoon = isLong ? endOnly : destroySoon
}

/**
 * Ends the connection after what was written to it: sends FIN, then reads and discards at most `most` bytes, and
 * destroys the socket
 * `lingerMs` later. Closing a socket that has unread bytes resets the connection, and a reset can delete the answer at
 * the client before it is read (RFC 9112, section 9.6).
 */
export function linger(socket: Marked, most = discardBytes): void {
  if (isLingering(socket)) return
  socket[left] = most
  socket.end()
  // The HTTP parser gets no more bytes: it would hand over the next request.
  for (const listener of socket.listeners('data')) socket.removeListener('data', listener as () => void)
  socket.on('data', discard)
  if (most > 0) socket.resume()
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
  this[left] = (this[left] ?? 0) - chunk.length
  if (this[left] <= 0) this.pause()
}

function destroyLater(this: Socket): void {
  setTimeout(destroy, lingerMs, this).unref()
}

function destroy(socket: Socket): void {
  socket.destroy()
}
