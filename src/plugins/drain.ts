import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { Problem } from '../errors.ts'
import type { Readiness } from './health.ts'

/** Requests under way on a connection; kept on the socket, since one is looked up for every request. */
const underWay = Symbol('headwaters.underWay')

type Counted = Socket & { [underWay]?: number }

/**
 * Makes closing end in time. From its start every reply closes its connection, new work is refused, and connections without a
 * request are closed: without this an idle or a mute one holds `close` for as long as the caller likes.
 */
export function drain (app: FastifyInstance, readiness: Readiness): void {
  const connections = new Set<Counted>()
  app.server.on('connection', (socket: Counted) => {
    connections.add(socket)
    socket.once('close', () => connections.delete(socket))
  })

  app.addHook('onRequest', ({ raw: { socket }, url }, _reply, done) => {
    const counted = socket as Counted
    counted[underWay] = (counted[underWay] ?? 0) + 1
    if (readiness.isDraining && !url.startsWith('/health/')) done(new Problem('DRAINING'))
    else done()
  })
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (readiness.isDraining) reply.header('connection', 'close')
    done(null, payload)
  })
  app.addHook('onResponse', ({ raw: { socket } }, _reply, done) => {
    const counted = socket as Counted
    counted[underWay] = (counted[underWay] ?? 1) - 1
    done()
  })

  app.addHook('preClose', done => {
    readiness.isDraining = true
    for (const socket of connections) if (!socket[underWay]) socket.destroy()
    done()
  })
}
