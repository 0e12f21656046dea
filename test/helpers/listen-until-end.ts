import { once } from 'node:events'
import type { AddressInfo, Server, Socket } from 'node:net'
import type { Teardowns } from './teardowns.ts'

/** Starts a server on loopback until the end of a test, which also destroys its sockets. Returns its port. */
export async function listenUntilEnd(t: Teardowns, server: Server, sockets: Iterable<Socket>): Promise<number> {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  })
  return (server.address() as AddressInfo).port
}
