import type { FastifyInstance } from 'fastify'
import type { Metrics } from '../../metrics/metrics.ts'

const metricsOfApps = new WeakMap<FastifyInstance, Metrics>()

/** Stores the metrics that an app counts. */
export function setMetricsOf(app: FastifyInstance, metrics: Metrics): void {
  metricsOfApps.set(app, metrics)
}

/** Returns the metrics that an app of `buildApp` counts, so that a worker can send them to its primary. */
export function metricsOf(app: FastifyInstance): Metrics {
  return metricsOfApps.get(app) as Metrics
}
