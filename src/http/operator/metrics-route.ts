import type { FastifyInstance } from 'fastify'
import { keyFault } from '../../core/bearer-key.ts'
import { rejectUnknownOptions } from '../../core/option-keys.ts'
import { checkObject, checkTextOption } from '../../core/option-values.ts'
import type { MetricsSource } from '../../metrics/source.ts'
import { logOutcome, probed } from '../log/request-outcome.ts'
import { allowMethods } from '../routing/allowed-methods.ts'
import { operatorScope, type OperatorAccess, type OperatorPath } from './operator-scope.ts'

/** The path of the metrics. */
export const metricsUrl = '/metrics'

/** The path of the metrics for `rejectOperatorUrl`. */
export const metricsPath: OperatorPath = {
  path: metricsUrl,
  serves: 'its metrics',
  fix: 'do not serve the metrics here (option metrics; ADMIN_KEY and HEADWATERS_ENV of headwaters serve)',
}

export interface MetricsRoute extends OperatorAccess {
  readonly source: MetricsSource
}

/**
 * Checks the option `metrics` of an app.
 *
 * @param keys - The keys of callers, which must not open the metrics.
 * @returns The key of the route, or `undefined` if the app has no such route.
 * @throws `TypeError` for a wrong value. The message shows no key.
 */
export function readMetricsOption(
  owner: string,
  metrics: boolean | { readonly key: string },
  keys: readonly string[],
): OperatorAccess | undefined {
  if (typeof metrics === 'boolean') return metrics ? {} : undefined
  checkObject(owner, 'metrics', metrics, "true, or { key: '…' }")
  rejectUnknownOptions(owner, metrics, { key: true }, { group: 'metrics' })
  const { key } = metrics
  checkTextOption(owner, 'metrics.key', key, "'a secret of at least 16 characters'")
  const fault = keyFault(key)
  if (fault !== undefined) throw new TypeError(`${owner}: metrics.key ${fault}`)
  if (keys.includes(key))
    throw new TypeError(`${owner}: metrics.key is also in keys, and callers must not have it: use another key`)
  return { key }
}

/** Adds `GET /metrics`. */
export function addMetricsRoute(app: FastifyInstance, { source, key }: MetricsRoute): void {
  operatorScope(app, { key }, scope => {
    scope.get(metricsUrl, async (request, reply) => {
      logOutcome(request, probed)
      const { contentType, body } = await source.render(request.headers.accept)
      return reply.type(contentType).send(body)
    })
    allowMethods(scope, metricsUrl, ['GET'])
  })
}
