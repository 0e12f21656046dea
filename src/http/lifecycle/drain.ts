import type { Socket } from 'node:net'
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { Problem } from '../../errors.ts'
import type { Runtime } from '../../upstream/runtime.ts'
import { requestEnded, requestsOn, requestStarted } from '../connection/open-connections.ts'
import type { OpenStreams } from '../connection/open-streams.ts'
import type { ConnectionLimitState } from '../guard/connection-limit.ts'
import { sendRawProblem } from '../problems/raw-problem.ts'
import type { Readiness } from './health.ts'

/** The calls and streams of one app. */
export interface ServedWork {
  /** The runtime is closed at the drain timeout. Closing it ends the calls in flight. */
  readonly runtime: Pick<Runtime, 'close'>
  readonly openStreams: OpenStreams
}

export interface DrainOptions {
  readonly readiness: Readiness
  /** The open connections of the server. */
  readonly connections: ReadonlySet<Socket>
  /** The work of each app that has requests in flight on the connections. */
  readonly work: ReadonlySet<ServedWork>
  /** Time in which requests in flight must end after the app begins to close, in ms. */
  readonly timeout: number
}

/** Time to write replies after the runtime is closed, and again after the last problems are sent, in ms. */
const replyTime = 200

/**
 * Counts the requests of each connection. While the server drains, every reply closes its connection, and new requests
 * are refused.
 */
export function refuseWhileDraining(
  app: FastifyInstance,
  {
    readiness,
    connectionLimit,
  }: { readonly readiness: Readiness; readonly connectionLimit: Readonly<ConnectionLimitState> },
): void {
  app.addHook('onRequest', ({ raw: { socket }, url }, _reply, done) => {
    requestStarted(socket)
    if (readiness.state === 'draining' && !url.startsWith('/health/')) done(new Problem('DRAINING'))
    else done()
  })
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (readiness.state === 'draining' || connectionLimit.isFull) reply.header('connection', 'close')
    done(null, payload)
  })
  app.addHook('onResponse', ({ raw: { socket } }, _reply, done) => {
    requestEnded(socket)
    done()
  })
}

/**
 * Limits the time that closing a server takes. When its app begins to close, connections without a request are closed.
 * Without this, one idle connection could delay `close` without limit. At the drain timeout the remaining requests get
 * 503, and the remaining streams end with a problem.
 *
 * @param app - The app that the server belongs to.
 */
export function drainOnClose(app: FastifyInstance, { readiness, connections, work, timeout }: DrainOptions): void {
  let timer: NodeJS.Timeout | undefined

  /**
   * Ends the calls in flight, so that their runs reply. Then sends 503 to the remaining requests, and a problem to the
   * remaining streams. Then closes the connections.
   */
  function abort(): void {
    app.log.warn({ connections: connections.size }, 'drain timeout reached; aborting in-flight requests')
    for (const { runtime } of work) void runtime.close()
    timer = setTimeout(() => {
      const streaming = new Set<Socket>()
      for (const { openStreams } of work)
        for (const socket of openStreams.endAll(new Problem('DRAINING'))) streaming.add(socket)
      for (const socket of connections) {
        if (streaming.has(socket)) continue
        sendRawProblem(socket, 503, 'DRAINING', 'retry-after: 1\r\n')
        socket.destroySoon()
      }
      timer = setTimeout(() => {
        for (const socket of connections) socket.destroy()
      }, replyTime)
    }, replyTime)
  }

  app.addHook('preClose', done => {
    readiness.state = 'draining'
    for (const socket of connections) if (!requestsOn(socket)) socket.destroy()
    timer = setTimeout(abort, timeout)
    done()
  })
  app.addHook('onClose', (_app, done) => {
    clearTimeout(timer)
    done()
  })
}

/**
 * Ends the streams that are still open after the runtime has closed. Closing it aborts all calls, so most runs end by
 * themselves. The others wait for code of their author.
 */
export async function endOpenStreams(openStreams: OpenStreams): Promise<void> {
  if (openStreams.size > 0) await nextTurn()
  if (openStreams.size > 0) await delay(replyTime)
  openStreams.endAll(new Problem('DRAINING'))
}
