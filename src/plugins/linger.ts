import type { Socket } from 'node:net'

/** Bytes of a refused body that are read and discarded. */
export const discardBytes = 64 * 1024

/** How long a client has to read the end of the answer, in ms. */
const lingerMs = 1000

const discarded = Symbol('headwaters.discarded')
const closing = Symbol('headwaters.closing')

type Marked = Socket & { [discarded]?: number, [closing]?: true }

/** Returns whether the socket has been answered for the last time. */
export function isLingering (socket: Marked): boolean {
  return socket[discarded] !== undefined
}

/** Returns whether a request before this one closes the connection, so that no later request is processed (RFC 9112, section 9.6). */
export function isClosing (socket: Marked): boolean {
  return socket[closing] === true
}

/** Makes the socket linger after the answer that is next, where Node would destroy it. */
export function lingerAfterAnswer (socket: Marked): void {
  socket[closing] = true
  socket.destroySoon = destroySoon
}

/**
 * Ends the connection after what was written to it: sends FIN, then reads and discards at most `discardBytes`, and destroys the socket
 * `lingerMs` later. Closing a socket that has unread bytes resets the connection, and a reset can delete the answer at the client before it is
 * read (RFC 9112, section 9.6).
 */
export function linger (socket: Marked): void {
  if (isLingering(socket)) return
  socket[discarded] = 0
  socket.end()
  // The HTTP parser gets no more bytes: it would hand over the next request.
  for (const listener of socket.listeners('data')) socket.removeListener('data', listener as () => void)
  socket.on('data', discard)
  socket.resume()
  if (socket.writableFinished) destroyLater.call(socket)
  else socket.once('finish', destroyLater)
}

function destroySoon (this: Socket): void {
  linger(this)
}

function discard (this: Marked, chunk: Buffer): void {
  this[discarded] = (this[discarded] ?? 0) + chunk.length
  if (this[discarded] > discardBytes) this.pause()
}

function destroyLater (this: Socket): void {
  setTimeout(destroy, lingerMs, this).unref()
}

function destroy (socket: Socket): void {
  socket.destroy()
}
