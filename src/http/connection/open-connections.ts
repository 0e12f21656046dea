import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'

/** Requests in flight on a connection. The number is kept on the socket, since every request changes it. */
const inFlight = Symbol('headwaters.inFlight')

type Counted = Socket & { [inFlight]?: number }

/** Returns the set of connections that are open to an app's server, the oldest first. */
export function trackConnections(app: FastifyInstance): ReadonlySet<Socket> {
  const connections = new Set<Socket>()
  app.server.on('connection', (socket: Socket) => {
    connections.add(socket)
    socket.once('close', () => connections.delete(socket))
  })
  return connections
}

/** Counts a request on its connection when it starts. */
export function requestStarted(socket: Counted): void {
  socket[inFlight] = (socket[inFlight] ?? 0) + 1
}

/** Counts a request on its connection when it ends. */
export function requestEnded(socket: Counted): void {
  socket[inFlight] = (socket[inFlight] ?? 1) - 1
}

/** Returns the number of requests in flight on a connection, or undefined before its first request. */
export function requestsOn(socket: Counted): number | undefined {
  return socket[inFlight]
}
