import type { AnyAggregate } from '../../fanout/aggregate.ts'

/**
 * Returns what the API document of an app with a folder for bulk runs says of them.
 *
 * @returns `undefined` if no aggregate has `bulk: true`
 */
export function describedBulk(
  aggregates: readonly AnyAggregate[],
): { readonly aggregates: readonly string[] } | undefined {
  const names = aggregates.filter(({ route }) => route.bulk).map(({ name }) => name)
  return names.length === 0 ? undefined : { aggregates: names }
}
