import cluster from 'node:cluster'
import type { FastifyInstance } from 'fastify'
import { maxAdminConnections } from '../../admin/admin-app.ts'
import { buildApp, type AppOptions } from '../../app.ts'
import type { Partition } from '../../core/partition.ts'
import type { Catalogue } from '../../definitions/catalogue.ts'
import { DefinitionsError } from '../../definitions/definitions-error.ts'
import { descriptorLimits } from '../../definitions/descriptor-limits.ts'
import type { Explainer } from '../../explain/explainer.ts'
import { guardServer } from '../../http/guard/server-guard.ts'
import { runtimeOf } from '../../http/lifecycle/app-runtime.ts'
import { loggerOptions } from '../../http/log/logger-options.ts'
import { addExplainRoutes, explainPath } from '../../http/operator/explain-route.ts'
import { rejectOperatorUrl } from '../../http/operator/operator-scope.ts'
import { setRunKeeper, type RunKeeper } from '../../http/reply/run-keeper.ts'
import type { Destination } from '../../log/destination.ts'
import { lineFormat } from '../../log/log-format.ts'
import { processLog, processRedaction } from '../../log/process-log.ts'
import { explainerOf } from './explanations.ts'
import { countForDashboard } from './samplers.ts'

/**
 * Builds the app of a catalogue and makes it ready to listen. Throws a `DefinitionsError` if the aggregates cannot be
 * served together.
 *
 * @param options - Options that replace those of the catalogue.
 * @param logFields - Fields of every log line. The default is the process id and the host name.
 * @param keeper - Follows the runs of the app. The default is that they are not kept.
 */
export async function createServiceApp(
  catalogue: Catalogue,
  options: AppOptions = {},
  logFields?: Readonly<Record<string, unknown>>,
  keeper?: RunKeeper,
): Promise<FastifyInstance> {
  const { aggregates, batchOperations, overrides, environment, info, secrets, config, onEvent } = catalogue
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
  } = config
  const { limits, few } = descriptorLimits(catalogue, {
    partition: options.partition,
    threads: options.threads?.count ?? threads.count,
    hasDemoUpstreams: catalogue.upstreams === 'demo' && !cluster.isWorker,
    reserved: admin.listener !== undefined && !cluster.isWorker ? maxAdminConnections : 0,
  })
  const redaction = processRedaction()
  redaction.add([...secrets, ...inbound.keys, ...(admin.key === undefined ? [] : [admin.key])])
  const stream = processLog()
  const format = lineFormat(logFormat, environment)
  const logger = { ...(loggerOptions({ level: logLevel, redaction, base: logFields, format }) as object), stream }
  const app = buildApp(aggregates, {
    overrides,
    environment,
    info,
    logger,
    logCompletePercent,
    drainTimeout: drainMs,
    traceSampledPercent,
    sources,
    rehearsal: env === 'development',
    threads,
    lostLogLines: () => stream.lost,
    metrics: env === 'development' || (admin.key !== undefined && { key: admin.key }),
    onToken: token => redaction.learn(token),
    onEvent,
    ...inbound,
    batch: inbound.batch && { ...inbound.batch, operations: batchOperations },
    ...limits,
    ...options,
  })
  if (keeper !== undefined) setRunKeeper(app, keeper)
  countForDashboard(app, config)
  if (few !== undefined)
    app.addHook('onListen', done => {
      app.log.warn(
        few,
        'few file descriptors: concurrency and connections of upstreams are reduced; raise the limit (ulimit -n)',
      )
      done()
    })
  try {
    if (env === 'development') {
      rejectOperatorUrl(aggregates, explainPath)
      const explainer = serviceExplainer(catalogue, app, options.partition)
      addExplainRoutes(app, {}, () => explainer)
    }
    await app.ready()
    guardServer(app)
    logProcessEvents(app, stream)
    return app
  } catch (error) {
    throw new DefinitionsError([{ file: 'all aggregates', reason: `cannot be served: ${(error as Error).message}` }], {
      cause: error,
    })
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
