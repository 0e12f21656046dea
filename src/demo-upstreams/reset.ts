import type { ServerResponse } from 'node:http'

/** Breaks the connection of one call with a reset. */
export function reset({ socket }: Pick<ServerResponse, 'socket'>): void {
  // A socket that waits for its own FIN to leave cannot be reset: Node would neither close it nor ever end the process.
  if (socket?.writableEnded === false) socket.resetAndDestroy()
  else socket?.destroy()
}
