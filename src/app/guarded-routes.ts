import type { FastifyInstance } from 'fastify'
import type { AnyAggregate } from '../fanout/aggregate-type.ts'
import { batchOfferOf } from '../http/batch/batch-offer.ts'
import { batchRoutes } from '../http/batch/batch-route.ts'
import { checkBulkRoutes } from '../http/bulk/check-bulk-routes.ts'
import type { OpenStreams } from '../http/connection/open-streams.ts'
import type { PathIndex } from '../http/guard/path-index.ts'
import type { PressureGauge } from '../http/guard/pressure.ts'
import type { RateLimit } from '../http/guard/rate-limit.ts'
import { guardRequests } from '../http/guard/request-guard.ts'
import type { RequestCounter } from '../http/metrics/request-counter.ts'
import { metricsPath } from '../http/operator/metrics-route.ts'
import { rejectOperatorUrl } from '../http/operator/operator-scope.ts'
import { headwaters } from '../http/plugin.ts'
import { safeListener } from '../http/reply/safe-listener.ts'
import type { RuntimeCounters } from '../metrics/runtime-counters.ts'
import type { Runtime } from '../upstream/runtime.ts'
import type { AppSettings } from './read-app-options.ts'

/** The parts of the app that its routes use. */
export interface GuardedRoutesOptions {
  readonly aggregates: readonly AnyAggregate[]
  readonly settings: AppSettings
  readonly runtime: Runtime
  readonly counters: RuntimeCounters
  readonly requests: RequestCounter
  readonly gauge: PressureGauge
  readonly openStreams: OpenStreams
  /** Receives the paths of the routes. */
  readonly paths: PathIndex
}

/**
 * Adds the routes of aggregates, batches and bulk runs. Their requests are admitted, counted and identified first.
 *
 * @returns The rate limit, for other routes. It is undefined until the app is ready.
 */
export function addGuardedRoutes(
  app: FastifyInstance,
  { aggregates, settings, runtime, counters, requests, gauge, openStreams, paths }: GuardedRoutesOptions,
): () => RateLimit | undefined {
  const { rateLimit, keys, shared, countRequest, onEvent, sources, batch, bulk } = settings
  let limit: RateLimit | undefined
  void app.register(async guarded => {
    if (settings.metricsRoute !== undefined) rejectOperatorUrl(aggregates, metricsPath)
    const guard = await guardRequests(guarded, {
      gauge,
      paths,
      rateLimit,
      keys,
      countRequest: countRequest ?? (rateLimit > 0 ? shared?.rateLimit(rateLimit) : undefined),
    })
    ;({ limit } = guard)
    await guarded.register(headwaters, {
      aggregates,
      runtime,
      load: gauge,
      bodies: gauge.bodies,
      requests,
      describe: false,
      onEvent,
      traceSampledPercent: settings.traceSampledPercent,
      sources,
      rehearsal: settings.rehearsal,
      streams: settings.streams,
      openStreams,
      batch,
      countCalls: limit?.countCalls,
      logCompletePercent: settings.logCompletePercent,
    })
    if (bulk !== undefined && aggregates.some(({ route }) => route.bulk)) {
      checkBulkRoutes(aggregates)
      const { serveBulk } = await import('../http/bulk/serve-bulk.ts')
      await serveBulk(guarded, app, {
        aggregates,
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
    const hasBatches = batchOfferOf('app', batch, aggregates) !== undefined
    paths.fill(hasBatches ? [...aggregates, ...Object.values(batchRoutes)] : aggregates)
  })
  return () => limit
}
