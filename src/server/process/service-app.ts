import cluster from 'node:cluster'
import type { FastifyInstance } from 'fastify'
import { maxAdminConnections } from '../../admin/admin-app.ts'
import { buildApp, type AppOptions } from '../../app.ts'
import type { Partition } from '../../core/partition.ts'
import type { Catalogue } from '../../definitions/catalogue.ts'
import { DefinitionsError } from '../../definitions/definitions-error.ts'
import { descriptorLimits } from '../../definitions/descriptor-limits.ts'
import type { Explainer } from '../../explain/explainer.ts'
import { setListenerOf } from '../../http/lifecycle/app-listener.ts'
import { runtimeOf } from '../../http/lifecycle/app-runtime.ts'
import { loggerOptions } from '../../http/log/logger-options.ts'
import { addExplainRoutes, explainPath } from '../../http/operator/explain-route.ts'
import { rejectOperatorUrl } from '../../http/operator/operator-scope.ts'
import { setRunKeeper, type RunKeeper } from '../../http/reply/run-keeper.ts'
import type { Destination } from '../../log/destination.ts'
import { lineFormat } from '../../log/log-format.ts'
import { processLog, processRedaction } from '../../log/process-log.ts'
import { RuntimeMetrics } from '../../metrics/runtime-metrics.ts'
import { passwordsOfUrl, redisSecrets } from '../../redis-config.ts'
import { bulkOptionsOf } from './bulk-options.ts'
import { explainerOf } from './explanations.ts'
import { countForDashboard } from './samplers.ts'
import { ServiceListener, serviceListenerOf, setServiceListener } from './service-listener.ts'
import { serviceRuntime } from './service-runtime.ts'

/** The options that replace those of the catalogue. */
export type ServiceOptions = Pick<
  AppOptions,
  'partition' | 'shared' | 'countRequest' | 'lostLogLines' | 'metricsSource' | 'threads' | 'pressure' | 'logger'
>

/**
 * Builds the app of a catalogue and makes it ready to answer the requests of its listener. Throws a `DefinitionsError`
 * if the aggregates cannot be served together.
 *
 * @param options - Options that replace those of the catalogue.
 * @param logFields - Fields of every log line. The default is the process id and the host name.
 * @param keeper - Follows the runs of the app. The default is that they are not kept.
 * @param previous - The app that the new one replaces, which has the same `shared`. The new one gets its listener, and
 *   upstreams that did not change keep their clients. Without it, the app gets a new listener.
 */
export async function createServiceApp(
  catalogue: Catalogue,
  options: ServiceOptions = {},
  logFields?: Readonly<Record<string, unknown>>,
  keeper?: RunKeeper,
  previous?: FastifyInstance,
): Promise<FastifyInstance> {
  const { aggregates, batchOperations, environment, info, secrets, config, onEvent } = catalogue
  const {
    inbound,
    logLevel,
    logFormat,
    logCompletePercent,
    drainMs,
    threads,
    traceSampledPercent,
    sources,
    env,
    admin,
    redis,
  } = config
  const { limits, few } = descriptorLimits(catalogue, {
    partition: options.partition,
    threads: options.threads?.count ?? threads.count,
    hasDemoUpstreams: catalogue.upstreams === 'demo' && !cluster.isWorker,
    reserved: admin.listener !== undefined && !cluster.isWorker ? maxAdminConnections : 0,
  })
  const redaction = processRedaction()
  redaction.add([
    ...secrets,
    ...inbound.keys,
    ...(admin.key === undefined ? [] : [admin.key]),
    ...(redis === undefined ? [] : redisSecrets(redis)),
    ...(config.bulk?.queue === undefined ? [] : passwordsOfUrl(config.bulk.queue.url)),
  ])
  const bulk = await bulkOptionsOf(catalogue, options.partition)
  const stream = processLog()
  const format = lineFormat(logFormat, environment)
  const logger = { ...(loggerOptions({ level: logLevel, redaction, base: logFields, format }) as object), stream }
  const { partition, shared, threads: ownThreads = threads, ...appOptions } = options
  const {
    // The runtime is given to the app, which therefore cannot count with the shared state by itself.
    countRequest = inbound.rateLimit > 0 ? shared?.rateLimit(inbound.rateLimit) : undefined,
  } = options
  const runtime = serviceRuntime(catalogue, {
    partition,
    scale: limits.scale,
    shared,
    threads: ownThreads,
    logOf: () => app.log,
    previous,
  })
  const listener =
    previous === undefined
      ? new ServiceListener({
          limits: inbound.limits,
          maxConnections: limits.maxConnections,
          drainTimeout: drainMs,
          countRefusal: code => RuntimeMetrics.countersOf(runtime).requests.refused(code),
          logger: options.logger ?? logger,
        })
      : serviceListenerOf(previous)
  setListenerOf(runtime, listener.connections)
  // `release` lives as long as the app. If it used `previous`, each app would keep all apps before it in memory.
  const isFirst = previous === undefined
  const release = async () => {
    await runtime.close()
    if (isFirst) await listener.close()
  }
  const app = builtWith(keeper, release, aggregates, {
    runtime,
    info,
    logger,
    logCompletePercent,
    drainTimeout: drainMs,
    traceSampledPercent,
    sources,
    rehearsal: env === 'development',
    lostLogLines: () => stream.lost,
    metrics: env === 'development' || (admin.key !== undefined && { key: admin.key }),
    onEvent,
    ...inbound,
    batch: inbound.batch && { ...inbound.batch, operations: batchOperations },
    bulk,
    ...appOptions,
    countRequest,
  })
  countForDashboard(app, config)
  if (few !== undefined)
    listener.connections.onListening(() =>
      app.log.warn(
        few,
        'few file descriptors: concurrency and connections of upstreams are reduced; raise the limit (ulimit -n)',
      ),
    )
  try {
    if (env === 'development') {
      rejectOperatorUrl(aggregates, explainPath)
      const explainer = serviceExplainer(catalogue, app, options.partition)
      addExplainRoutes(app, {}, () => explainer)
    }
    await app.ready()
    logProcessEvents(app, stream)
    setServiceListener(app, listener)
    if (isFirst) listener.swap(app)
    return app
  } catch (error) {
    // `close` rejects with the same error.
    await Promise.allSettled([app.close(), release()])
    throw new DefinitionsError([{ file: 'all aggregates', reason: `cannot be served: ${(error as Error).message}` }], {
      cause: error,
    })
  }
}

/**
 * Builds an app with a keeper of its runs. If it cannot be built, calls `release`. It is not async: an app that is not
 * ready is a thenable, so a promise of it would resolve when it is ready.
 */
function builtWith(
  keeper: RunKeeper | undefined,
  release: () => Promise<void>,
  aggregates: Catalogue['aggregates'],
  options: AppOptions,
): FastifyInstance {
  try {
    const app = buildApp(aggregates, options)
    if (keeper !== undefined) setRunKeeper(app, keeper)
    return app
  } catch (error) {
    void release()
    throw error
  }
}

/**
 * Returns the explainer of an app that `createServiceApp` has built.
 *
 * @param partition - The share of the limits that the app has. The default is all of them.
 */
export function serviceExplainer(catalogue: Catalogue, app: FastifyInstance, partition?: Partition): Explainer {
  const runtime = runtimeOf(app)
  return explainerOf(catalogue, { partition, stats: () => runtime.stats(), hide: processRedaction().hide })
}

/** Returns the route and the name of each aggregate, for the log. */
export function routesOf({ aggregates }: Catalogue): string[] {
  return aggregates.map(({ name, route }) => `${route.method} ${route.url} (${name})`)
}

/**
 * Logs the number of lost lines, and the warnings of Node.js. Node.js would write its warnings to stderr, and the write
 * could block until stderr is read.
 */
function logProcessEvents({ log }: FastifyInstance, stream: Destination): void {
  stream.onRecovered = lost => log.warn({ lost }, 'log lines lost: they could not be written')
  // With the flag --no-warnings there is no listener.
  if (process.listenerCount('warning') === 0) return
  process.removeAllListeners('warning')
  process.on('warning', warning => log.warn({ err: warning }, 'Node.js warning'))
}
