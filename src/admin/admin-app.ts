import fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import type { Socket } from 'node:net'
import { requestEnded, requestsOn, requestStarted, trackConnections } from '../http/connection/open-connections.ts'
import { appOptions } from '../http/guard/app-options.ts'
import { limitConnections, type ConnectionLimitState } from '../http/guard/connection-limit.ts'
import { checkHostHeader } from '../http/guard/host-header.ts'
import { handleServerEvents } from '../http/guard/server-events.ts'
import type { Limits } from '../http/guard/server-limits.ts'
import { closeSlowReaders } from '../http/guard/slow-readers.ts'
import { closeOnStrayBytes } from '../http/guard/stray-bytes.ts'
import { addHealthRoutes, type LoadedDefinitions, type Readiness } from '../http/lifecycle/health.ts'
import { logOmittedRefusals, RefusalSampler } from '../http/log/refusal-sampler.ts'
import { addMetricsRoute, type MetricsRoute } from '../http/operator/metrics-route.ts'
import { handleErrorsAsProblems } from '../http/problems/problem-handler.ts'
import { addDefaultHeaders, addRequestId } from '../http/reply/default-headers.ts'
import { acceptAllMethods } from '../http/routing/allowed-methods.ts'

/** The largest number of open connections of an admin listener. An operator needs a few. */
export const maxAdminConnections = 32

/** The largest body of a request, in bytes. No route reads a body. */
const bodyLimit = 1024

/** Time that requests in flight have after the app begins to close, in ms. */
const closeMs = 500

export interface AdminAppOptions {
  readonly metrics: MetricsRoute
  /** Functions that add the other routes of the operator. @default none */
  readonly routes?: readonly ((app: FastifyInstance) => void)[]
  readonly readiness: Readiness
  /** Returns the number of lost log lines, which `/health/ready` shows. */
  readonly lostLogLines: () => number
  /** Returns the definitions that the service serves, which `/health/ready` shows. @default not shown */
  readonly definitions?: () => LoadedDefinitions
  readonly limits: Limits
  readonly log: FastifyBaseLogger
}

/**
 * Builds the app of the operator: the metrics, the health routes and the given routes. It limits the bytes of a
 * caller as the app of the service does, and it has no limits of load, because the operator needs it under overload.
 */
export function createAdminApp({
  metrics,
  routes = [],
  readiness,
  lostLogLines,
  definitions,
  limits,
  log,
}: AdminAppOptions): FastifyInstance {
  const refusals = new RefusalSampler()
  const app = fastify({
    ...appOptions(limits, refusals),
    loggerInstance: log.child({ listener: 'admin' }),
    bodyLimit,
  })
  acceptAllMethods(app)
  handleErrorsAsProblems(app)
  addRequestId(app)
  addDefaultHeaders(app)
  const connections = trackConnections(app)
  const connectionLimit = { isFull: false }
  limitConnections(app, { state: connectionLimit, connections, limit: maxAdminConnections, onRefused() {} })
  closeSlowReaders(app, connections, limits.replyTimeout)
  const reportRefusal = refusals.reporter(app.log)
  closeOnStrayBytes(app, connections, limits.headerBytes, reportRefusal)
  closeConnections(app, connections, connectionLimit)
  handleServerEvents(app.server, reportRefusal)
  checkHostHeader(app)
  addHealthRoutes(app, { readiness, lostLogLines, definitions })
  logOmittedRefusals(app, refusals)
  addMetricsRoute(app, metrics)
  for (const add of routes) add(app)
  return app
}

/**
 * Counts the requests of each connection, as the connection limit requires. Closes idle connections when the app begins
 * to close, and all connections `closeMs` later.
 */
function closeConnections(
  app: FastifyInstance,
  connections: ReadonlySet<Socket>,
  connectionLimit: Readonly<ConnectionLimitState>,
): void {
  let timer: NodeJS.Timeout | undefined
  app.addHook('onRequest', ({ raw: { socket } }, _reply, done) => {
    requestStarted(socket)
    done()
  })
  app.addHook('onResponse', ({ raw: { socket } }, _reply, done) => {
    requestEnded(socket)
    done()
  })
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (timer !== undefined || connectionLimit.isFull) reply.header('connection', 'close')
    done(null, payload)
  })
  app.addHook('preClose', done => {
    for (const socket of connections) if (!requestsOn(socket)) socket.destroy()
    timer = setTimeout(() => {
      for (const socket of connections) socket.destroy()
    }, closeMs)
    done()
  })
  app.addHook('onClose', (_app, done) => {
    clearTimeout(timer)
    done()
  })
}
