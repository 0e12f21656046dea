import type { ServerResponse } from 'node:http'

/** Closes the connection of one request with a reset. */
export function reset({ socket }: Pick<ServerResponse, 'socket'>): void {
  // A socket whose FIN is pending cannot be reset: Node.js would not close it, and the process would not end.
  if (socket?.writableEnded === false) socket.resetAndDestroy()
  else socket?.destroy()
}
