import type { FastifyInstance } from 'fastify'
import { keyFault } from '../../core/bearer-key.ts'
import { rejectUnknownOptions } from '../../core/option-keys.ts'
import { checkObject, checkTextOption } from '../../core/option-values.ts'
import type { MetricsSource } from '../../metrics/source.ts'
import { identifyClients, keyFinder, requireKey } from '../guard/api-keys.ts'
import { withoutCors } from '../guard/cors.ts'
import { refuseOtherHosts } from '../guard/dns-rebinding.ts'
import { logOutcome, probed } from '../log/request-outcome.ts'
import { allowMethods } from '../routing/allowed-methods.ts'
import { pathShape } from '../routing/path-template.ts'

/** The path of the metrics. */
export const metricsUrl = '/metrics'

export interface MetricsRoute {
  readonly source: MetricsSource
  /**
   * The key that a request needs as `authorization: Bearer <key>`. Without it, the host of a request must be an IP
   * address or `localhost`.
   * @default none
   */
  readonly key?: string | undefined
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
): Pick<MetricsRoute, 'key'> | undefined {
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

const otherHostDetail =
  'The service serves this path without a key only if the host is an IP address or localhost: use an IP address or ' +
  'localhost in the URL, or require a key (option metrics; ADMIN_KEY and HEADWATERS_ENV of headwaters serve).'

interface Routed {
  readonly name: string
  readonly route: { readonly url: string }
}

/**
 * Refuses an aggregate whose path is the path of the metrics.
 *
 * @param aggregates - The aggregates of the app. The plugin refuses a list that is wrong.
 */
export function rejectMetricsUrl(aggregates: readonly (Partial<Routed> | undefined)[]): void {
  if (!Array.isArray(aggregates)) return
  for (const aggregate of aggregates as readonly (Partial<Routed> | undefined)[]) {
    const { name, route } = aggregate ?? {}
    if (route !== undefined && pathShape(route.url) === pathShape(metricsUrl))
      throw new TypeError(
        `app: the url of the aggregate '${name}' is ${route.url}, where the app serves its metrics: change the url, ` +
          'or do not serve the metrics here (option metrics; ADMIN_KEY and HEADWATERS_ENV of headwaters serve)',
      )
  }
}

/**
 * Adds `GET /metrics`. Nothing but its key limits this route: a scrape does not count in the rate limit and is answered
 * under overload, since the operator needs the metrics then.
 */
export function addMetricsRoute(app: FastifyInstance, { source, key }: MetricsRoute): void {
  void app.register(async guarded => {
    if (key === undefined) {
      withoutCors(guarded)
      refuseOtherHosts(guarded, otherHostDetail)
    } else {
      const keysOfRequests = new WeakMap()
      identifyClients(guarded, keyFinder([key]), keysOfRequests)
      requireKey(guarded, keysOfRequests)
    }
    guarded.get(metricsUrl, async (request, reply) => {
      logOutcome(request, probed)
      const { contentType, body } = await source.render(request.headers.accept)
      return reply.header('cache-control', 'no-store').type(contentType).send(body)
    })
    allowMethods(guarded, metricsUrl, ['GET'])
  })
}
