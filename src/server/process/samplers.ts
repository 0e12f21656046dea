import type { FastifyInstance } from 'fastify'
import type { Config } from '../../config.ts'
import { runtimeOf } from '../../http/lifecycle/app-runtime.ts'
import type { Metrics } from '../../metrics/metrics.ts'
import { RuntimeMetrics } from '../../metrics/runtime-metrics.ts'
import { Sampler } from '../../overview/sampler.ts'

/** The sampler of each metrics. Apps that follow each other after reloads share their metrics. */
const samplers = new WeakMap<Metrics, Sampler>()

/**
 * Begins to count what the dashboard needs, if the service has one.
 *
 * @param app - An app that is not ready yet: its metrics of aggregates are created when it becomes ready.
 */
export function countForDashboard(app: FastifyInstance, { admin }: Config): void {
  if (admin.listener === undefined || !admin.dashboard) return
  const metrics = metricsOf(app)
  if (!samplers.has(metrics)) samplers.set(metrics, new Sampler(metrics))
}

/** Returns the sampler of an app; `undefined` if the service has no dashboard. */
export function samplerOf(app: FastifyInstance): Sampler | undefined {
  return samplers.get(metricsOf(app))
}

function metricsOf(app: FastifyInstance): Metrics {
  return RuntimeMetrics.countersOf(runtimeOf(app)).metrics
}
