import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * A free port below those that systems give out by themselves: it stays free until a test listens there, whatever other tests
 * open.
 */
export async function quietPort(): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const port = 15_000 + Math.floor(Math.random() * 15_000)
    const server = createServer()
    server.listen(port, '127.0.0.1')
    // Rejects when somebody is there.
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    )
    if (!isFree) continue
    server.close()
    await once(server, 'close')
    return port
  }
  throw new Error('of 100 ports none is free')
}
