import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { Problem } from '../../errors.ts'
import type { Runtime } from '../../upstream/runtime.ts'
import { sendRawProblem } from '../problems/raw-problem.ts'
import type { ConnectionLimitState } from '../guard/connection-limit.ts'
import type { Readiness } from './health.ts'

/** Requests under way on a connection; kept on the socket, since one is looked up for every request. */
const underWay = Symbol('headwaters.underWay')

type Counted = Socket & { [underWay]?: number }

/** Returns the number of requests under way on a connection, or `undefined` before its first request. */
export function requestsOn(socket: Socket): number | undefined {
  return (socket as Counted)[underWay]
}

export interface DrainOptions {
  readonly readiness: Readiness
  readonly connectionLimit: Readonly<ConnectionLimitState>
  /** The app's open connections. */
  readonly connections: ReadonlySet<Socket>
  /** Closed when the grace is over, which ends the calls that are still under way. */
  readonly runtime: Runtime
  /** How long requests in flight may take once the app closes, in ms. */
  readonly grace: number
}

/** So long replies have to be written when something was cut, in ms; twice. */
const lastWords = 200

/**
 * Makes closing end in time. From its start every reply closes its connection, new work is refused, and connections
 * without a request are closed: without this an idle or a mute one holds `close` for as long as the caller likes. When
 * the grace is over, whoever still waits is answered 503.
 */
export function drainOnClose(
  app: FastifyInstance,
  { readiness, connectionLimit: crowd, connections, runtime, grace }: DrainOptions,
): void {
  let timer: NodeJS.Timeout | undefined

  app.addHook('onRequest', ({ raw: { socket }, url }, _reply, done) => {
    const counted = socket as Counted
    counted[underWay] = (counted[underWay] ?? 0) + 1
    if (readiness.isDraining && !url.startsWith('/health/')) done(new Problem('DRAINING'))
    else done()
  })
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (readiness.isDraining || crowd.isFull) reply.header('connection', 'close')
    done(null, payload)
  })
  app.addHook('onResponse', ({ raw: { socket } }, _reply, done) => {
    const counted = socket as Counted
    counted[underWay] = (counted[underWay] ?? 1) - 1
    done()
  })

  /** Ends the calls under way, whose runs then answer; then answers for those who do not; then hangs up. */
  function cut(): void {
    app.log.warn({ connections: connections.size }, 'the time for draining is over: what is under way is cut')
    void runtime.close()
    timer = setTimeout(() => {
      for (const socket of connections) {
        sendRawProblem(socket, 503, 'DRAINING', 'retry-after: 1\r\n')
        socket.destroySoon()
      }
      timer = setTimeout(() => {
        for (const socket of connections) socket.destroy()
      }, lastWords)
    }, lastWords)
  }

  app.addHook('preClose', done => {
    readiness.isDraining = true
    for (const socket of connections as ReadonlySet<Counted>) if (!socket[underWay]) socket.destroy()
    timer = setTimeout(cut, grace)
    done()
  })
  app.addHook('onClose', (_app, done) => {
    clearTimeout(timer)
    done()
  })
}
