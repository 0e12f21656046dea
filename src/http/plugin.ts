import type { AnyAggregate } from '../fanout/aggregate.ts'
import { checkOffloads } from '../fanout/check-offloads.ts'
import { requireReply } from '../fanout/require-reply.ts'
import { checkSourcesLevel } from '../fanout/sources-level.ts'
import { RuntimeMetrics } from '../metrics/runtime-metrics.ts'
import { batchOfferOf } from './batch/batch-offer.ts'
import { readBatchOptions } from './batch/batch-options.ts'
import { checkBatchRoute } from './batch/check-batch-route.ts'
import { serveBatches } from './batch/serve-batches.ts'
import { InboundBodies } from './bodies/inbound-bodies.ts'
import { CompleteRunSampler } from './log/complete-run.ts'
import { loggedRuntime } from './log/logged-runtime.ts'
import { defaultPressureLimits } from './guard/pressure.ts'
import { delegateErrors } from './problems/delegate-errors.ts'
import { addRequestId } from './reply/default-headers.ts'
import { safeListener } from './reply/safe-listener.ts'
import { readStreamOptions } from './stream/stream-options.ts'
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
import { checkRoutes } from './check-routes.ts'
import type { HeadwatersOptions, ServiceOptions } from './plugin-options.ts'

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
  checkRoutes(app, aggregates)
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
