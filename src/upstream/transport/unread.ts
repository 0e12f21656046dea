import { readSync } from 'node:fs'
import type { Socket } from 'node:net'

/** The parts of a handle of Node.js that this file uses: `fd` is -1 on Windows; `receive` is there over TLS only. */
interface SocketHandle {
  readonly fd: number
  receive?(encrypted: Buffer): void
}

/** Holds what was read past the event loop until TLS has taken it. */
const chunk = Buffer.alloc(16 * 1024)

/**
 * Reads a socket past the event loop and returns whether bytes or the end of the connection are there. The socket must
 * be closed then, because bytes may be lost. Over TLS, records without content for the connection, such as session
 * tickets, are handed to TLS and do not count. Returns false where a socket is not a file descriptor.
 */
export function hasUnread(socket: Socket | undefined): boolean {
  if (socket === undefined) return false
  const { _handle: handle } = socket as unknown as { readonly _handle?: SocketHandle | null }
  const fd = handle?.fd ?? -1
  if (fd < 0) return false
  for (let length = readNow(fd); length !== undefined; length = readNow(fd)) {
    if (
      length === 0 ||
      handle?.receive === undefined ||
      !isTaken(socket, handle as Required<SocketHandle>, chunk.subarray(0, length))
    )
      return true
  }
  return socket.readableLength > 0
}

/** Hands bytes to TLS; returns whether they are TLS. */
function isTaken(socket: Socket, handle: Required<SocketHandle>, encrypted: Buffer): boolean {
  let isTls = true
  const onError = () => {
    isTls = false
  }
  socket.on('error', onError)
  handle.receive(encrypted)
  socket.off('error', onError)
  return isTls
}

/**
 * Reads at most a chunk without waiting; returns its length, 0 at the end of the connection or after an error,
 * undefined when nothing is there.
 */
function readNow(fd: number): number | undefined {
  const { stackTraceLimit } = Error
  // Nearly every read throws EAGAIN, and its stack is not used.
  Error.stackTraceLimit = 0
  let length: number | undefined
  try {
    length = readSync(fd, chunk, 0, chunk.length, null)
  } catch (error) {
    length = (error as NodeJS.ErrnoException).code === 'EAGAIN' ? undefined : 0
  }
  Error.stackTraceLimit = stackTraceLimit
  return length
}
