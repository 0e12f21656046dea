import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'

/** The connections that are open to an app's server. */
export function trackConnections(app: FastifyInstance): ReadonlySet<Socket> {
  const connections = new Set<Socket>()
  app.server.on('connection', (socket: Socket) => {
    connections.add(socket)
    socket.once('close', () => connections.delete(socket))
  })
  return connections
}
