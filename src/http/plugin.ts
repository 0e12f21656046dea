import type { AnyAggregate } from '../fanout/aggregate.ts'
import { checkOffloads } from '../fanout/check-offloads.ts'
import type { RunEvent } from '../fanout/events.ts'
import { requireReply, type AggregateList } from '../fanout/require-reply.ts'
import { checkSourcesLevel, type SourcesLevel } from '../fanout/sources-level.ts'
import type { Override, Runtime, RuntimeOptions } from '../upstream/runtime.ts'
import type { Layers } from '../upstream/spec/layers.ts'
import { RuntimeMetrics } from '../metrics/runtime-metrics.ts'
import { batchOfferOf } from './batch/batch-offer.ts'
import { readBatchOptions, type BatchOptions } from './batch/batch-options.ts'
import type { BatchService } from './batch/batch-service.ts'
import { checkBatchRoute } from './batch/check-batch-route.ts'
import { serveBatches } from './batch/serve-batches.ts'
import { InboundBodies } from './bodies/inbound-bodies.ts'
import type { LoadGauge } from './reply/route-services.ts'
import { CompleteRunSampler } from './log/complete-run.ts'
import { loggedRuntime } from './log/logged-runtime.ts'
import { defaultPressureLimits } from './guard/pressure.ts'
import { delegateErrors } from './problems/delegate-errors.ts'
import { addRequestId } from './reply/default-headers.ts'
import { safeListener } from './reply/safe-listener.ts'
import { readStreamOptions, type StreamOptions } from './stream/stream-options.ts'
import type { StreamingServices } from './stream/stream-task.ts'
import { describeRoutes } from './openapi/swagger.ts'
import { countRequests, RequestCounter } from './metrics/request-counter.ts'
import { OpenStreams } from './connection/open-streams.ts'
import { closeOnUnreadBody } from './connection/close-on-unread-body.ts'
import type { FastifyInstance } from 'fastify'
import { rejectOptionsBesideRuntime, rejectRenamedOptions } from '../core/option-keys.ts'
import { numberWithin } from '../core/bounds.ts'
import { checkBoolean, checkListener } from '../core/option-values.ts'
import { pluginRenames } from '../upstream/spec/renamed.ts'
import { runKeeperOf } from './reply/run-keeper.ts'
import { aggregateRoutes } from './aggregate-routes.ts'
import { acceptJsonBodies } from './bodies/json-bodies.ts'
import { registeredUrl } from './routing/allowed-methods.ts'
import { comparedSegments, routerOptionsOf } from './routing/match-path.ts'
import { fastifyPath, isPlainTemplate, routerKey, segmentsOf, shapeOf } from './routing/path-template.ts'

/**
 * Options of the plugin.
 *
 * @example
 * ```ts
 * import type { AnyAggregate, HeadwatersOptions } from 'headwaters'
 *
 * declare const catFacts: AnyAggregate
 *
 * const options: HeadwatersOptions = { aggregates: [catFacts], environment: process.env }
 * ```
 */
export interface HeadwatersOptions {
  /** The aggregates that become routes. */
  readonly aggregates: AggregateList
  /** Overrides by the upstream's name. @default {} */
  readonly overrides?: Readonly<Record<string, Override>>
  /**
   * The variables that `env('NAME')` of a declaration reads, for example `process.env`.
   * @default {}
   */
  readonly environment?: RuntimeOptions['environment']
  /** Custom layers around every upstream, the outermost first. @default {} */
  readonly layers?: Layers
  /** The threads in which offloaded functions run. @default those of `ThreadOptions` */
  readonly threads?: RuntimeOptions['threads']
  /**
   * An existing runtime, for example one that several plugins share. The code that created it must close it.
   * @default a new runtime, which closes with the app
   */
  readonly runtime?: Runtime
  /**
   * Counts the runs of these routes, and decides whether a new run leaves out its optional steps.
   * @default none
   */
  readonly load?: LoadGauge
  /**
   * The share of the complete runs whose log line has the level `info`, from 0 to 100. The lines of the others have the
   * level `debug`. Partial and failed runs are not affected.
   * @default 100
   */
  readonly logCompletePercent?: number
  /**
   * Adds a `schema` to each route that describes its input and its replies, for `@fastify/swagger` and similar
   * collectors.
   * @default true
   */
  readonly describe?: boolean
  /**
   * Limit on all request bodies that these routes receive at the same time, in bytes together; 0 disables the limit.
   * @default 64 MiB
   */
  readonly bodiesBytes?: number
  /**
   * The share of new traces that are marked as sampled, from 0 to 100. A trace is new if a request has no valid
   * `traceparent`. Any other request keeps the mark of its caller.
   * @default 0
   */
  readonly traceSampledPercent?: number
  /**
   * The part of the outcomes of the steps that callers see, for aggregates without an option `sources`: all of it, the
   * names and states of the steps, or nothing.
   * @default 'full'
   */
  readonly sources?: SourcesLevel
  /**
   * If true, the header `x-headwaters-fault` of a request makes calls of its run slow or fail, for a test of the pages
   * that use these routes. Any caller can send it, so it is not for production.
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
   * Called with each event of each run of these routes. If it throws or rejects, the error is logged, at most once per
   * minute, and the reply does not change.
   * @default not called
   */
  readonly onEvent?: ((event: RunEvent) => void) | undefined
}

/** Options of the registration by the service itself. */
export interface ServiceOptions extends HeadwatersOptions {
  /** The bodies that are being received. @default those of this registration, with a limit of `bodiesBytes` */
  readonly bodies?: InboundBodies
  /** Counts the requests of these routes. @default a counter of this registration */
  readonly requests?: RequestCounter
  /** The open streams of these routes. @default those of this registration */
  readonly openStreams?: OpenStreams
  /** Counts the calls of a batch towards the rate limit of its client. @default no limit */
  readonly countCalls?: BatchService['countCalls']
}

/** A Fastify app of any version. Two copies of Fastify have types that are not assignable to each other. */
export interface AnyFastify {
  readonly version: string
  readonly prefix: string
}

/**
 * Serves aggregates as routes of a Fastify app. The hooks of the app apply to them, and its error handler gets their
 * failures (a `Problem` has `statusCode` and `toJSON`). If the app has no error handler, failures are sent as
 * `application/problem+json`.
 *
 * @param host The Fastify app. `register` passes it.
 * @param options The aggregates, and the services that they use.
 * @throws `TypeError` for a wrong option, for two aggregates with the same route, and for a route that the app has.
 * @example
 * ```ts
 * import fastify from 'fastify'
 * import { headwaters, type AnyAggregate } from 'headwaters'
 *
 * declare const catFacts: AnyAggregate
 *
 * const app = fastify()
 * await app.register(headwaters, { aggregates: [catFacts], prefix: '/api' })
 * ```
 */
export async function headwaters(host: AnyFastify, options: ServiceOptions): Promise<void> {
  rejectRenamedOptions('headwaters', options, pluginRenames)
  const {
    overrides,
    environment,
    layers,
    threads,
    runtime,
    load,
    logCompletePercent = 100,
    describe = true,
    bodiesBytes = defaultPressureLimits.bodiesBytes,
    bodies = new InboundBodies(bodiesBytes),
    requests,
    traceSampledPercent = 0,
    sources = 'full',
    rehearsal = false,
    streams,
    openStreams,
    batch,
    countCalls,
    onEvent,
  } = options
  checkBoolean('headwaters', 'describe', describe)
  checkListener('headwaters', onEvent)
  checkSourcesLevel('headwaters', sources)
  checkBoolean('headwaters', 'rehearsal', rehearsal)
  const streamLimits = readStreamOptions('headwaters', streams)
  const batchLimits = readBatchOptions('headwaters', batch)
  numberWithin('headwaters', 'traceSampledPercent', traceSampledPercent, 0, 100)
  const app = host as FastifyInstance
  const aggregates = readAggregates(options.aggregates)
  const offer = batchOfferOf('headwaters', batchLimits, aggregates)
  check(app, aggregates)
  if (offer !== undefined) checkBatchRoute(app, aggregates)
  if (runtime !== undefined) rejectOptionsBesideRuntime('headwaters', { overrides, environment, layers, threads })
  const ownRuntime =
    runtime ??
    loggedRuntime(app.log, {
      overrides: overrides ?? {},
      environment: environment ?? {},
      layers: layers ?? {},
      threads: threads ?? {},
    })
  await checkOffloads(aggregates)
  const counters = RuntimeMetrics.countersOf(ownRuntime)
  const counter = requests ?? new RequestCounter(counters.requests)
  if (requests === undefined) countRequests(app, counter)
  for (const aggregate of aggregates) counters.aggregate(aggregate)
  acceptJsonBodies(app, bodies)
  closeOnUnreadBody(app)
  addRequestId(app)
  delegateErrors(app)
  const open = openStreams ?? ownOpenStreams(app, streamLimits.readTimeout)
  const services: StreamingServices = {
    runtime: ownRuntime,
    load,
    onEvent: onEvent && safeListener(app.log, onEvent),
    loggedWarnings: new Set(),
    requests: counter,
    traceSampledPercent,
    sources,
    rehearsal,
    keeper: runKeeperOf(app),
    completeRuns: new CompleteRunSampler(numberWithin('headwaters', 'logCompletePercent', logCompletePercent, 0, 100)),
    streams: { limits: streamLimits, open, metrics: counters.streams },
  }
  aggregateRoutes(describe ? describeRoutes(app, aggregates, sources) : app, aggregates, services)
  if (offer !== undefined && batchLimits !== false)
    await serveBatches(app, { routes: services, offer, limits: batchLimits, metrics: counters.batches, countCalls })
  if (runtime === undefined) app.addHook('onClose', () => ownRuntime.close())
}

/** Returns the open streams of an app that does not close the connections of its replies itself. */
function ownOpenStreams(app: FastifyInstance, readTimeout: number): OpenStreams {
  let isClosing = false
  app.addHook('preClose', done => {
    isClosing = true
    done()
  })
  return new OpenStreams(readTimeout, () => isClosing)
}

function readAggregates(aggregates: HeadwatersOptions['aggregates']): readonly AnyAggregate[] {
  if (!Array.isArray(aggregates))
    throw new TypeError(
      'headwaters: the option aggregates must be an array: app.register(headwaters, { aggregates: [catFacts] })',
    )
  return aggregates.map((aggregate, index) => requireReply(`headwaters: aggregates[${index}]`, aggregate))
}

/** Rejects aggregates that cannot be served. Fastify's own errors would name neither the aggregate nor the fix. */
function check(app: FastifyInstance, aggregates: readonly AnyAggregate[]): void {
  const options = routerOptionsOf(app)
  const prefix = app.prefix.replace(/\/$/, '')
  const taken = new Map<string, { readonly name: string; readonly template: string }>()
  const routes = new Map<string, { readonly name: string; readonly template: string; readonly shape: string }>()
  for (const { name, route } of aggregates) {
    const { method, url: template } = route
    const url = prefix + fastifyPath(template)
    const shown = isPlainTemplate(template) ? url : prefix + template
    const segments = comparedSegments(segmentsOf(template), options)
    const ownShape = shapeOf(segments)
    const shape = `${method} ${ownShape}`
    const other = taken.get(shape)
    if (other?.template === template)
      throw new TypeError(
        `headwaters: the aggregates '${other.name}' and '${name}' are both ${method} ${shown}: change the url of one`,
      )
    if (other !== undefined)
      throw new TypeError(
        `headwaters: the aggregates '${other.name}' (${other.template}) and '${name}' (${template}) ` +
          `match the same ${method} requests: change the url of one`,
      )
    const key = routerKey(segments)
    const alike = routes.get(key) ?? { name, template, shape: ownShape }
    if (alike.shape !== ownShape)
      throw new TypeError(
        `headwaters: the router cannot distinguish the urls of the aggregates '${alike.name}' ` +
          `(${alike.template}) and '${name}' (${template}): change the url of one`,
      )
    routes.set(key, alike)
    if (app.hasRoute({ method, url: registeredUrl(app, url) }))
      throw new TypeError(
        `headwaters: ${method} ${shown} (aggregate '${name}') is already a route of ` +
          'this app: register the aggregate once, or under another prefix',
      )
    taken.set(shape, { name, template })
  }
}
