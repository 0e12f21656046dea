import { once } from 'node:events'
import type { Server as HttpServer, ServerResponse } from 'node:http'
import { Server } from 'node:net'

/** Time that an open connection has for its next request, in ms. */
export const keepAliveGraceMs = 2000

/**
 * Stops accepting connections, and closes each open connection after its next response: closing it at once could lose a
 * request that the caller is sending. Resolves when no connection is open, after `keepAliveGraceMs`, or when `signal`
 * aborts.
 */
export async function closeAfterResponse(server: HttpServer, signal: AbortSignal): Promise<void> {
  server.prependListener('request', (_request, response: ServerResponse) => {
    response.setHeader('connection', 'close')
  })
  const closed = once(server, 'close', { signal: AbortSignal.any([signal, AbortSignal.timeout(keepAliveGraceMs)]) })
  // `close` of `node:http` also closes connections without a request, so `close` of `node:net` is called.
  Server.prototype.close.call(server)
  await closed.catch(() => {})
}
