import { suggest } from '../core/suggest.ts'
import type { OpenCatalogue } from '../definitions/catalogue.ts'
import type { AnyAggregate } from '../fanout/aggregate.ts'
import { UsageError } from './usage-error.ts'

/** Returns an aggregate by its name. Throws a `UsageError` that names the nearest aggregate, or all. */
export function findAggregate({ aggregates }: Pick<OpenCatalogue, 'aggregates'>, name: string): AnyAggregate {
  const found = aggregates.find(aggregate => aggregate.name === name)
  if (found !== undefined) return found
  const names = aggregates.map(aggregate => aggregate.name)
  throw new UsageError(`unknown aggregate '${name}'${suggest(name, names) || `: use ${names.join(', ')}`}`)
}
