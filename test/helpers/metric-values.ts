import type { Family } from '../../src/metrics/family.ts'
import { RuntimeMetrics } from '../../src/metrics/runtime-metrics.ts'
import type { SeriesTable } from '../../src/metrics/series-table.ts'
import type { Runtime } from '../../src/upstream/runtime.ts'

function tableOf(runtime: Runtime, family: Family): SeriesTable {
  const { metrics } = RuntimeMetrics.countersOf(runtime)
  metrics.collect()
  return metrics.table(family)
}

/** Returns the values of the labels of a series, separated by spaces: `up one OK`. An empty value is `-`. */
function key(labels: string): string {
  return Array.from(labels.matchAll(/="([^"]*)"/g), ([, value]) => (value === '' ? '-' : value)).join(' ')
}

/** Returns the rendered values of a counter or a gauge, by the values of its labels. */
export function valuesOf(runtime: Runtime, family: Family): Record<string, number> {
  const table = tableOf(runtime, family)
  return Object.fromEntries(
    table.labels.flatMap((labels, slot) =>
      table.isUsed(slot) ? [[key(labels), table.values[slot] as number] as const] : [],
    ),
  )
}

/** Returns the numbers of observations of a histogram, by the values of its labels. */
export function countsOf(runtime: Runtime, family: Family): Record<string, number> {
  const table = tableOf(runtime, family)
  return Object.fromEntries(
    table.labels.flatMap((labels, slot) => {
      const first = slot * table.width
      const count = table.values.subarray(first, first + table.width - 1).reduce((sum, each) => sum + each, 0)
      return count === 0 ? [] : [[key(labels), count] as const]
    }),
  )
}

/** Returns the sums of the observations of a histogram, by the values of its labels. */
export function sumsOf(runtime: Runtime, family: Family): Record<string, number> {
  const table = tableOf(runtime, family)
  return Object.fromEntries(
    table.labels.map((labels, slot) => [key(labels), table.values[(slot + 1) * table.width - 1] as number]),
  )
}

/** Returns the sum of some values. */
export function total(values: Readonly<Record<string, number>>): number {
  return Object.values(values).reduce((sum, each) => sum + each, 0)
}
