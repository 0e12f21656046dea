/**
 * The complete service as a Fastify app.
 *
 * @module headwaters/app
 */
import './check-node.ts'
import fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import type { RunEvent } from './fanout/events.ts'
import { requireReply, type AggregateList } from './fanout/require-reply.ts'
import { checkSourcesLevel, type SourcesLevel } from './fanout/sources-level.ts'
import { trustOf } from './http/request/client-address.ts'
import { acceptAllMethods } from './http/routing/allowed-methods.ts'
import { OpenStreams } from './http/connection/open-streams.ts'
import { addCors } from './http/guard/cors.ts'
import { appOptions } from './http/guard/app-options.ts'
import { AppListener, listenerOf } from './http/lifecycle/app-listener.ts'
import { endOpenStreams, refuseWhileDraining } from './http/lifecycle/drain.ts'
import { addExplorer } from './http/explorer/explorer.ts'
import { replyAtRoot } from './http/explorer/root.ts'
import { checkHostHeader } from './http/guard/host-header.ts'
import { PathIndex } from './http/guard/path-index.ts'
import { ServerGuard, setServerGuard } from './http/guard/server-guard.ts'
import { guardRequests } from './http/guard/request-guard.ts'
import type { RateLimit } from './http/guard/rate-limit.ts'
import { headwaters } from './http/plugin.ts'
import { setRuntimeOf } from './http/lifecycle/app-runtime.ts'
import { countRequests, RequestCounter } from './http/metrics/request-counter.ts'
import { RuntimeMetrics } from './metrics/runtime-metrics.ts'
import { readLostLogLines } from './metrics/readings.ts'
import { addHealthRoutes } from './http/lifecycle/health.ts'
import { addMetricsRoute, metricsPath, readMetricsOption } from './http/operator/metrics-route.ts'
import { safeListener } from './http/reply/safe-listener.ts'
import { rejectOperatorUrl } from './http/operator/operator-scope.ts'
import { logRefusedBodies } from './http/bodies/inbound-bodies.ts'
import { defaultLimits, type Limits } from './http/guard/server-limits.ts'
import { loggedRuntime } from './http/log/logged-runtime.ts'
import { addOpenapiRoutes } from './http/openapi/document-routes.ts'
import { checkInfo, defaultTitle, type OpenapiInfo } from './http/openapi/info.ts'
import {
  createPressureGauge,
  loopOf,
  defaultPressureLimits,
  watchPressure,
  type PressureLimits,
} from './http/guard/pressure.ts'
import { handleErrorsAsProblems } from './http/problems/problem-handler.ts'
import type { CountRequest } from './http/guard/shared-rate-store.ts'
import { logOmittedRefusals, RefusalSampler } from './http/log/refusal-sampler.ts'
import { tracedLoggers } from './http/log/request-loggers.ts'
import { addRequestId, addDefaultHeaders } from './http/reply/default-headers.ts'
import { batchOfferOf } from './http/batch/batch-offer.ts'
import { readBatchOptions, type BatchOptions } from './http/batch/batch-options.ts'
import { batchRoutes } from './http/batch/batch-route.ts'
import { describedBatches } from './http/batch/described-batches.ts'
import { readBulkOptions, type BulkOptions } from './http/bulk/bulk-options.ts'
export type {
  BulkFolder,
  BulkLimits,
  BulkObjectStore,
  BulkOptions,
  BulkQueueOptions,
} from './http/bulk/bulk-options.ts'
export type { BulkStore, ByteRange } from './bulk/object-store.ts'
import { checkBulkRoutes } from './http/bulk/check-bulk-routes.ts'
import { describedBulk } from './http/bulk/described-bulk.ts'
import { readStreamOptions, type StreamOptions } from './http/stream/stream-options.ts'
import type { MetricsSource } from './metrics/source.ts'
import type { Override, Runtime, RuntimeOptions } from './upstream/runtime.ts'
import { rejectOptionsBesideRuntime, rejectUnknownOptions, type OptionKeys } from './core/option-keys.ts'
import { numberWithin } from './core/bounds.ts'
import { checkBoolean, checkListener, checkTextList } from './core/option-values.ts'
import type { Partition } from './core/partition.ts'
import type { Layers } from './upstream/spec/layers.ts'
import { appRenames } from './upstream/spec/renamed.ts'

/**
 * Options of `buildApp`.
 *
 * @example
 * ```ts
 * import type { AppOptions } from 'headwaters/app'
 *
 * const options: AppOptions = {
 *   environment: process.env,
 *   overrides: { prices: { origin: 'http://127.0.0.1:4000' } },
 *   logger: true,
 *   rateLimit: 600,
 * }
 * ```
 */
export interface AppOptions {
  /** Overrides by the upstream's name. @default {} */
  readonly overrides?: Readonly<Record<string, Override>>
  /** Custom layers around every upstream, the outermost first. @default {} */
  readonly layers?: Layers
  /**
   * The variables that `env('NAME')` of a declaration reads.
   * @default {}
   */
  readonly environment?: RuntimeOptions['environment']
  /** The threads in which offloaded functions run. @default the defaults of `ThreadOptions` */
  readonly threads?: RuntimeOptions['threads']
  /**
   * An existing runtime, which closes with the app. With this option, `overrides`, `layers`, `environment`, `threads`,
   * `partition`, `scale`, `onToken` and `shared` are refused. Pass them to `createRuntime` instead.
   * @default a new runtime
   */
  readonly runtime?: Runtime
  /** The part of every upstream's limits that this app uses, if several processes share them. @default all of them */
  readonly partition?: Partition | undefined
  /**
   * The factor for the concurrency and the connections of every upstream, above 0 and at most 1. A factor below 1 saves
   * file descriptors.
   * @default 1
   */
  readonly scale?: number | undefined
  /**
   * The largest number of open connections of callers. At the limit the app closes idle connections and answers new
   * connections with 503.
   * @default no limit
   */
  readonly maxConnections?: number | undefined
  /** Fastify's logger options. @default false */
  readonly logger?: FastifyServerOptions['logger']
  /**
   * The share of the complete runs whose log line has the level `info`, from 0 to 100. The lines of the others have the
   * level `debug`. Partial and failed runs are not affected.
   * @default 100
   */
  readonly logCompletePercent?: number
  /** Returns the number of lost log lines, which `/health/ready` shows. @default not shown */
  readonly lostLogLines?: (() => number) | undefined
  /** Called with each token that a token endpoint returned, so that a log can redact it. @default not called */
  readonly onToken?: ((token: string) => void) | undefined
  /**
   * The limits of one request and its connection.
   * @default the defaults of `Limits`
   */
  readonly limits?: Partial<Limits>
  /** The limits of load and memory at which the app refuses requests. @default the defaults of `PressureLimits` */
  readonly pressure?: Partial<PressureLimits>
  /** The largest number of requests for aggregates per minute and client. 0 disables the limit. @default 0 */
  readonly rateLimit?: number
  /**
   * The state that replicas share: `redisState` of `headwaters/redis` creates it. It counts the requests of
   * `rateLimit`, so it excludes `countRequest`. The app does not close it.
   * @default the state of this app alone
   */
  readonly shared?: RuntimeOptions['shared']
  /** Counts the requests of a client if several processes share the limit. @default a counter in this process */
  readonly countRequest?: CountRequest | undefined
  /**
   * The addresses or networks of proxies whose `x-forwarded-for` is trusted. `true` trusts every sender.
   * @default false
   */
  readonly trustProxy?: boolean | readonly string[]
  /**
   * API keys. If there are keys, each request for an aggregate needs one as `authorization: Bearer <key>`.
   * @default []
   */
  readonly keys?: readonly string[]
  /** Origins whose pages may send requests (CORS). `*` allows every origin. @default [] */
  readonly corsOrigins?: readonly string[]
  /**
   * Serves the metrics of the runtime at `GET /metrics`: without a key, or to requests with
   * `authorization: Bearer <key>`. The `keys` of callers do not open it. Without a key, a request whose host is neither
   * an IP address nor `localhost` is refused with 421, as a protection from DNS rebinding.
   * @default false
   */
  readonly metrics?: boolean | { readonly key: string }
  /**
   * Renders the metrics that `/metrics` serves, if several processes share the port.
   * @default the metrics of the runtime
   */
  readonly metricsSource?: MetricsSource | undefined
  /** The `info` of the API document. @default the title `Aggregates` and the version `0.0.0` */
  readonly info?: OpenapiInfo | undefined
  /**
   * The share of new traces that are marked as sampled, from 0 to 100. A trace is new if a request has no valid
   * `traceparent`. Any other request keeps the mark of its caller.
   * @default 0
   */
  readonly traceSampledPercent?: number
  /**
   * The part of the outcomes of the steps that callers see, for aggregates without an option `sources`: all of it, the
   * names and states of the steps, or nothing. The API document agrees with it.
   * @default 'full'
   */
  readonly sources?: SourcesLevel
  /**
   * If true, the header `x-headwaters-fault` of a request makes calls of its run slow or fail, for a test of the pages
   * that use this app. Any caller can send it, so it is not for production.
   * @default false
   */
  readonly rehearsal?: boolean
  /** The limits of streams. @default the defaults of `StreamOptions` */
  readonly streams?: StreamOptions
  /**
   * The limits of batches, and the operations that batches may call. `false` turns batches off. Without an operation
   * and an aggregate with `batch: true`, there is no route for batches.
   * @default the defaults of `BatchOptions`
   */
  readonly batch?: BatchOptions | false
  /**
   * The store, the queue and the limits of bulk runs. Without it, and without an aggregate with `bulk: true`, there are
   * no routes for bulk runs. The runs go on while the app listens.
   * @default no bulk runs
   */
  readonly bulk?: BulkOptions | undefined
  /**
   * Called with each event of each run. If it throws or rejects, the error is logged, at most once per minute, and the
   * reply does not change.
   * @default not called
   */
  readonly onEvent?: ((event: RunEvent) => void) | undefined
  /**
   * The time that requests in flight have to finish after the app begins to close, in ms. Requests that are not
   * finished by then are answered with 503.
   * @default 10_000
   */
  readonly drainTimeout?: number
}

const knownOptions: OptionKeys<AppOptions> = {
  overrides: true,
  layers: true,
  environment: true,
  threads: true,
  runtime: true,
  partition: true,
  scale: true,
  maxConnections: true,
  logger: true,
  logCompletePercent: true,
  lostLogLines: true,
  onToken: true,
  limits: true,
  pressure: true,
  rateLimit: true,
  countRequest: true,
  shared: true,
  trustProxy: true,
  keys: true,
  corsOrigins: true,
  metrics: true,
  metricsSource: true,
  info: true,
  traceSampledPercent: true,
  sources: true,
  rehearsal: true,
  streams: true,
  batch: true,
  bulk: true,
  onEvent: true,
  drainTimeout: true,
}

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
  rejectUnknownOptions('app', options, knownOptions, { renamed: appRenames })
  const {
    overrides,
    environment,
    layers,
    threads,
    partition,
    scale,
    onToken,
    maxConnections,
    shared,
    countRequest,
    logger = false,
    logCompletePercent = 100,
    rateLimit = 0,
    trustProxy = false,
    keys = [],
    corsOrigins = [],
    metrics = false,
    metricsSource,
    info = {},
    drainTimeout = 10_000,
    traceSampledPercent = 0,
    sources = 'full',
    rehearsal = false,
    lostLogLines,
    onEvent,
  } = options
  if (options.runtime !== undefined)
    rejectOptionsBesideRuntime('app', { overrides, environment, layers, threads, partition, scale, onToken, shared })
  if (shared !== undefined && countRequest !== undefined)
    throw new TypeError('app: shared excludes countRequest, because it counts requests: remove one of them')
  checkInfo('app', info)
  numberWithin('app', 'traceSampledPercent', traceSampledPercent, 0, 100)
  checkListener('app', onEvent)
  checkSourcesLevel('app', sources)
  checkBoolean('app', 'rehearsal', rehearsal)
  numberWithin('app', 'logCompletePercent', logCompletePercent, 0, 100)
  if (typeof trustProxy !== 'boolean') checkTextList('app', 'trustProxy', trustProxy, "['10.0.0.0/8']")
  const metricsRoute = readMetricsOption('app', metrics, keys)
  const limits = { ...defaultLimits, ...options.limits }
  const pressure = { ...defaultPressureLimits, ...options.pressure }
  const streams = readStreamOptions('app', options.streams, limits.replyTimeout)
  const batch = readBatchOptions('app', options.batch, limits.bodyBytes)
  const bulk = options.bulk && readBulkOptions('app', options.bulk)
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
  const runtime =
    options.runtime ??
    loggedRuntime(app.log, {
      overrides: overrides ?? {},
      environment: environment ?? {},
      layers: layers ?? {},
      threads: threads ?? {},
      partition,
      scale,
      onToken,
      shared,
    })

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
      maxConnections,
      drainTimeout,
      refusals,
      countRefusal: code => requests.refused(code),
    })
  const { readiness, connectionLimit, connections } = listener
  // Register this before the hooks that refuse requests, so that it counts every request of a connection.
  refuseWhileDraining(app, listener)
  const openStreams = new OpenStreams(
    streams.readTimeout,
    () => readiness.state === 'draining' || connectionLimit.isFull,
  )
  const removeWork = listener.add({ runtime, openStreams })
  checkHostHeader(app)
  if (corsOrigins.length > 0) addCors(app, corsOrigins)
  addHealthRoutes(app, { readiness, lostLogLines, definitions: () => listener.definitions?.() })
  if (metricsRoute !== undefined) addMetricsRoute(app, { source: metricsSource ?? runtime.metrics, ...metricsRoute })
  logOmittedRefusals(app, refusals)
  if (rehearsal)
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
  let limit: RateLimit | undefined
  void app.register(async guarded => {
    if (metricsRoute !== undefined) rejectOperatorUrl(served, metricsPath)
    const guard = await guardRequests(guarded, {
      gauge,
      paths,
      rateLimit,
      keys,
      countRequest: countRequest ?? (rateLimit > 0 ? shared?.rateLimit(rateLimit) : undefined),
    })
    ;({ limit } = guard)
    await guarded.register(headwaters, {
      aggregates: served,
      runtime,
      load: gauge,
      bodies: gauge.bodies,
      requests,
      describe: false,
      onEvent,
      traceSampledPercent,
      sources,
      rehearsal,
      streams,
      openStreams,
      batch,
      countCalls: limit?.countCalls,
      logCompletePercent,
    })
    if (bulk !== undefined && served.some(({ route }) => route.bulk)) {
      checkBulkRoutes(served)
      const { serveBulk } = await import('./http/bulk/serve-bulk.ts')
      await serveBulk(guarded, app, {
        aggregates: served,
        settings: bulk,
        runtime,
        sources,
        onEvent: onEvent && safeListener(app.log, onEvent),
        gauge,
        permitBacklog: () => counters.permitBacklog(Infinity),
        metrics: counters.bulk,
        log: app.log,
        keyOf: guard.keyOf,
      })
    }
    const hasBatches = batchOfferOf('app', batch, served) !== undefined
    paths.fill(hasBatches ? [...served, ...Object.values(batchRoutes)] : served)
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
    bearer: keys.length > 0,
    rateLimited: rateLimit > 0,
    bulk: bulk && describedBulk(served),
    batches: () => describedBatches('app', batch, served),
  })
  addExplorer(
    app,
    info.title ?? defaultTitle,
    rateLimit > 0 ? async request => limit?.countRequest(request) : undefined,
  )
  return app
}
