/**
 * The complete service as a Fastify app.
 *
 * @module headwaters/app
 */
import './check-node.ts'
import fastify, { type FastifyInstance } from 'fastify'
import type { AppOptions } from './app/app-options.ts'
import { addGuardedRoutes } from './app/guarded-routes.ts'
import { readAppOptions } from './app/read-app-options.ts'
import { requireReply, type AggregateList } from './fanout/require-reply.ts'
import { describedBatches } from './http/batch/described-batches.ts'
import { logRefusedBodies } from './http/bodies/inbound-bodies.ts'
import { describedBulk } from './http/bulk/described-bulk.ts'
import { OpenStreams } from './http/connection/open-streams.ts'
import { addExplorer } from './http/explorer/explorer.ts'
import { replyAtRoot } from './http/explorer/root.ts'
import { appOptions } from './http/guard/app-options.ts'
import { addCors } from './http/guard/cors.ts'
import { checkHostHeader } from './http/guard/host-header.ts'
import { PathIndex } from './http/guard/path-index.ts'
import { createPressureGauge, loopOf, watchPressure } from './http/guard/pressure.ts'
import { ServerGuard, setServerGuard } from './http/guard/server-guard.ts'
import { AppListener, listenerOf } from './http/lifecycle/app-listener.ts'
import { setRuntimeOf } from './http/lifecycle/app-runtime.ts'
import { endOpenStreams, refuseWhileDraining } from './http/lifecycle/drain.ts'
import { addHealthRoutes } from './http/lifecycle/health.ts'
import { loggedRuntime } from './http/log/logged-runtime.ts'
import { logOmittedRefusals, RefusalSampler } from './http/log/refusal-sampler.ts'
import { tracedLoggers } from './http/log/request-loggers.ts'
import { countRequests, RequestCounter } from './http/metrics/request-counter.ts'
import { addOpenapiRoutes } from './http/openapi/document-routes.ts'
import { defaultTitle } from './http/openapi/info.ts'
import { addMetricsRoute } from './http/operator/metrics-route.ts'
import { handleErrorsAsProblems } from './http/problems/problem-handler.ts'
import { addDefaultHeaders, addRequestId } from './http/reply/default-headers.ts'
import { trustOf } from './http/request/client-address.ts'
import { acceptAllMethods } from './http/routing/allowed-methods.ts'
import { readLostLogLines } from './metrics/readings.ts'
import { RuntimeMetrics } from './metrics/runtime-metrics.ts'

export type { AppOptions } from './app/app-options.ts'
export type {
  BulkFolder,
  BulkLimits,
  BulkObjectStore,
  BulkOptions,
  BulkQueueOptions,
} from './http/bulk/bulk-options.ts'
export type { BulkStore, ByteRange } from './bulk/object-store.ts'

/**
 * Builds a Fastify app that serves aggregates, with health routes, the OpenAPI document and the explorer. It does not
 * listen. Its runtime closes with it.
 *
 * @param aggregates The aggregates to serve.
 * @param options The limits and services of the app.
 * @returns The app. Call its `listen` to serve, or its `inject` to test.
 * @throws `TypeError` for an option that is wrong or unknown. Aggregates that cannot be served together make `ready`
 *   and `listen` of the app reject.
 * @example
 * ```ts
 * import { buildApp } from 'headwaters/app'
 * import type { AnyAggregate } from 'headwaters'
 *
 * declare const catFacts: AnyAggregate
 *
 * const app = buildApp([catFacts], { environment: process.env, logger: true })
 * await app.listen({ host: '127.0.0.1', port: 3000 })
 * ```
 */
export function buildApp(aggregates: AggregateList, options: AppOptions = {}): FastifyInstance {
  const served = aggregates.map((aggregate, index) => requireReply(`app: aggregates[${index}]`, aggregate))
  const settings = readAppOptions(options)
  const {
    logger,
    trustProxy,
    traceSampledPercent,
    lostLogLines,
    metricsRoute,
    info,
    sources,
    rateLimit,
    limits,
    pressure,
    batch,
    bulk,
  } = settings
  const refusals = new RefusalSampler()
  const app = fastify({
    ...appOptions(limits, refusals, (request, reply) => requests.start(request, reply)),
    logger,
    trustProxy: typeof trustProxy === 'boolean' ? trustProxy : trustOf(trustProxy),
    bodyLimit: limits.bodyBytes,
    // The schema limits the length of a parameter. The default limit of the router would be too small.
    routerOptions: { maxParamLength: 16 * 1024 },
    ...(logger !== false && { childLoggerFactory: tracedLoggers(logger, traceSampledPercent) }),
  })
  const runtime = options.runtime ?? loggedRuntime(app.log, settings.ofRuntime)
  setRuntimeOf(app, runtime)
  const counters = RuntimeMetrics.countersOf(runtime)
  const requests = new RequestCounter(counters.requests)
  if (lostLogLines !== undefined) {
    const endReading = readLostLogLines(counters.metrics, lostLogLines)
    app.addHook('onClose', async () => endReading())
  }
  countRequests(app, requests)

  acceptAllMethods(app)
  handleErrorsAsProblems(app, replyAtRoot)
  addRequestId(app)
  addDefaultHeaders(app)
  const listener =
    listenerOf(runtime) ??
    new AppListener(app, {
      limits,
      maxConnections: options.maxConnections,
      drainTimeout: settings.drainTimeout,
      refusals,
      countRefusal: code => requests.refused(code),
    })
  const { readiness, connectionLimit, connections } = listener
  // Register this before the hooks that refuse requests, so that it counts every request of a connection.
  refuseWhileDraining(app, listener)
  const openStreams = new OpenStreams(
    settings.streams.readTimeout,
    () => readiness.state === 'draining' || connectionLimit.isFull,
  )
  const removeWork = listener.add({ runtime, openStreams })
  checkHostHeader(app)
  if (settings.corsOrigins.length > 0) addCors(app, settings.corsOrigins)
  addHealthRoutes(app, { readiness, lostLogLines, definitions: () => listener.definitions?.() })
  if (metricsRoute !== undefined)
    addMetricsRoute(app, { source: options.metricsSource ?? runtime.metrics, ...metricsRoute })
  logOmittedRefusals(app, refusals)
  if (settings.rehearsal)
    listener.onListening(() => app.log.warn('fault rehearsal is on; a caller can add faults with x-headwaters-fault'))
  const gauge = createPressureGauge(
    pressure,
    served.some(({ route }) => route.criticality === 'high'),
    // Requests that are injected have no connection.
    loopOf(
      maxHoldMs => counters.permitBacklog(maxHoldMs),
      () => connections.size || Infinity,
    ),
  )
  watchPressure(app, gauge, pressure)
  logRefusedBodies(app, gauge.bodies)
  const paths = new PathIndex()
  setServerGuard(app, new ServerGuard({ gauge, paths, readiness, connectionLimit, requests, refusals, log: app.log }))
  const rateLimitOf = addGuardedRoutes(app, {
    aggregates: served,
    settings,
    runtime,
    counters,
    requests,
    gauge,
    openStreams,
    paths,
  })
  app.addHook('onClose', async () => {
    await runtime.close()
    await endOpenStreams(openStreams)
    removeWork()
  })
  addOpenapiRoutes(app, {
    aggregates: served,
    info,
    sources,
    bearer: settings.keys.length > 0,
    rateLimited: rateLimit > 0,
    bulk: bulk && describedBulk(served),
    batches: () => describedBatches('app', batch, served),
  })
  addExplorer(
    app,
    info.title ?? defaultTitle,
    rateLimit > 0 ? async request => rateLimitOf()?.countRequest(request) : undefined,
  )
  return app
}
