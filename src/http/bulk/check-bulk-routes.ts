import type { AnyAggregate } from '../../fanout/aggregate.ts'
import { bulkUrl } from './bulk-route.ts'

/** The name that the path of all runs has in the place of the name of an aggregate. */
const reserved = 'runs'

/**
 * Rejects aggregates that have a path of bulk runs, or a name that cannot be in one.
 *
 * @throws TypeError with the aggregate and the fix
 */
export function checkBulkRoutes(aggregates: readonly AnyAggregate[]): void {
  for (const { name, route } of aggregates) {
    if (route.bulk && name === reserved)
      throw new TypeError(
        `app: the aggregate '${name}' has bulk: true, and ${bulkUrl}/${reserved} is the path of all runs: rename it`,
      )
    if (route.url === bulkUrl || route.url.startsWith(`${bulkUrl}/`))
      throw new TypeError(
        `app: the url of the aggregate '${name}', ${route.url}, is below ${bulkUrl}, the path of bulk runs: ` +
          'change the url',
      )
  }
}
