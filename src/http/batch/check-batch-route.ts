import type { FastifyInstance } from 'fastify'
import type { AnyAggregate } from '../../fanout/aggregate.ts'
import { registeredUrl } from '../routing/allowed-methods.ts'
import { comparedSegments, routerOptionsOf } from '../routing/match-path.ts'
import { segmentsOf, shapeOf } from '../routing/path-template.ts'
import { batchName, batchRoutes, batchUrl } from './batch-route.ts'

const fix = 'or turn batches off with batch: false (BATCH_MAX_CALLS=0)'

/**
 * Rejects aggregates that have the path or the name of batches, and an app that has a route at this path.
 *
 * @throws TypeError with the aggregate and the fix
 */
export function checkBatchRoute(app: FastifyInstance, aggregates: readonly AnyAggregate[]): void {
  const options = routerOptionsOf(app)
  const shapeOfUrl = (url: string) => shapeOf(comparedSegments(segmentsOf(url), options))
  const shape = shapeOfUrl(batchUrl)
  const url = (app.prefix.endsWith('/') ? app.prefix.slice(0, -1) : app.prefix) + batchUrl
  for (const { name, route } of aggregates) {
    if (shapeOfUrl(route.url) === shape)
      throw new TypeError(
        `headwaters: the url of the aggregate '${name}', ${url}, is the path of batches: change the url, ${fix}`,
      )
    if (name === batchName)
      throw new TypeError(
        `headwaters: the aggregate '${name}' has the name of batches in the log and in events: rename it, ${fix}`,
      )
  }
  for (const method of Object.keys(batchRoutes))
    if (app.hasRoute({ method, url: registeredUrl(app, url) }))
      throw new TypeError(
        `headwaters: ${method} ${url}, the path of batches, is already a route of this app: use another prefix, ${fix}`,
      )
}
