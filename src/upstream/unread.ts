import { readSync } from 'node:fs'
import type { Socket } from 'node:net'

const oneByte = Buffer.alloc(1)

/**
 * Reads a socket past the event loop and returns whether bytes or the end of the connection are there. A byte that was read is lost, so the
 * socket must be closed then. Returns false where a socket is not a file descriptor.
 */
export function hasUnread (socket: Socket | undefined): boolean {
  const fd = descriptorOf(socket)
  if (fd < 0) return false
  const { stackTraceLimit } = Error
  // Nearly every read throws EAGAIN, and its stack is not used.
  Error.stackTraceLimit = 0
  let isUnread = true
  try {
    readSync(fd, oneByte, 0, 1, null)
  } catch (error) {
    isUnread = (error as NodeJS.ErrnoException).code !== 'EAGAIN'
  }
  Error.stackTraceLimit = stackTraceLimit
  return isUnread
}

/** The file descriptor of a socket, of TLS too; -1 where it has none: it is closed, or this is Windows. */
function descriptorOf (socket: Socket | undefined): number {
  const { _handle: handle } = (socket ?? {}) as { readonly _handle?: { readonly fd: number } | null }
  return handle?.fd ?? -1
}
