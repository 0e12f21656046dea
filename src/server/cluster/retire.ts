import { once } from 'node:events'
import type { Server as HttpServer, ServerResponse } from 'node:http'
import { Server } from 'node:net'

/** How long a connection may wait for its next request, in ms. */
export const lingerMs = 2000

/**
 * Takes no new connection, and lets each that is open end with its next answer: to close it now would race with a
 * request on its way. Resolves when none is open, after `lingerMs`, when the others have been idle or busy for that
 * long, or when told to hurry.
 */
export async function retire(server: HttpServer, hurry: AbortSignal): Promise<void> {
  server.prependListener('request', (_request, response: ServerResponse) => {
    response.setHeader('connection', 'close')
  })
  const closed = once(server, 'close', { signal: AbortSignal.any([hurry, AbortSignal.timeout(lingerMs)]) })
  // That of `node:http` would close the connections without a request.
  Server.prototype.close.call(server)
  await closed.catch(() => {})
}
