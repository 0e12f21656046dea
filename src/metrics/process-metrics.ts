import type { MetricObjectWithValues, MetricValueWithName, Registry } from '@prometheus-io/client'
import type { Family } from './family.ts'
import { SeriesTable } from './series-table.ts'

/** The largest number of series of a family. A histogram has one for each bucket, and one each for sum and count. */
export interface SeriesLimit {
  readonly name: string
  readonly series: number
}

/**
 * Metrics of the library that are left out. `promtool check metrics` rejects the names of some. The others have a label
 * value for each kind of handle, which no declaration limits, and read every open socket at each scrape. The smallest
 * delay of the event loop is always that of an idle loop.
 */
const leftOut = [
  'nodejs_active_handles',
  'nodejs_active_handles_total',
  'nodejs_active_requests',
  'nodejs_active_requests_total',
  'nodejs_active_resources',
  'nodejs_active_resources_total',
  'nodejs_eventloop_utilization_histogram',
  'nodejs_eventloop_utilization_summary',
  'nodejs_eventloop_lag_min_seconds',
] as const

/** A timer of this time does not fire in the lifetime of a process, in ms. */
const never = 2 ** 31 - 1

/** The buckets of the durations of garbage collection, in seconds. */
const gcBuckets = [0.001, 0.01, 0.1, 1, 2, 5]
/** The kinds of garbage collection of the library. All are known from the start, so the number of series is constant. */
const gcKinds = ['major', 'minor', 'incremental', 'weakcb']

/** A metric of the library with its values. */
type Library = MetricObjectWithValues<MetricValueWithName<string>> & { readonly aggregator?: string }

let registry: Promise<Registry> | undefined
const tables = new Map<string, SeriesTable>()

/**
 * Returns the metrics of this process: CPU time, memory, heap, garbage collection, file descriptors and the delay of
 * the event loop, by the names of `@prometheus-io/client`. The first call loads the library and starts to observe
 * garbage collection and the delay, so their values begin then. The tables belong to the process, and each call updates
 * them.
 */
export async function collectProcessMetrics(): Promise<readonly SeriesTable[]> {
  registry ??= openRegistry()
  const metrics = (await (await registry).getMetricsAsJSON()) as readonly Library[]
  const lag = metrics.find(({ name }) => name === 'nodejs_eventloop_lag_mean_seconds')
  // Right after a scrape, the library has no measured delay, and its numbers are not values.
  const hasLag = lag !== undefined && lag.values.every(({ value }) => Number.isFinite(value))
  for (const metric of metrics) {
    const table = tableOf(metric)
    if (hasLag || !metric.name.startsWith('nodejs_eventloop_lag_') || metric.name === 'nodejs_eventloop_lag_seconds')
      update(table, metric)
  }
  return [...tables.values()]
}

/** Returns the largest number of series of each family of the process. */
export async function processSeriesLimits(): Promise<readonly SeriesLimit[]> {
  const families = await collectProcessMetrics()
  // The delay of the event loop has no value yet.
  return families.map(({ family: { name, type }, labels, width }) => ({
    name,
    series: Math.max(1, labels.length) * (type === 'histogram' ? width + 1 : 1),
  }))
}

async function openRegistry(): Promise<Registry> {
  const { collectDefaultMetrics, Registry: OwnRegistry } = await import('@prometheus-io/client')
  const own = new OwnRegistry()
  // The library measures the utilization of the event loop with an interval that cannot be switched off.
  collectDefaultMetrics({ register: own, eventLoopUtilizationTimeout: never, gcDurationBuckets: [...gcBuckets] })
  for (const name of leftOut) own.removeSingleMetric(name)
  return own
}

function tableOf(metric: Library): SeriesTable {
  const known = tables.get(metric.name)
  if (known !== undefined) return known
  const table = new SeriesTable(familyOf(metric))
  if (metric.name === 'nodejs_gc_duration_seconds') for (const kind of gcKinds) table.slot(kind)
  tables.set(metric.name, table)
  return table
}

function familyOf({ name, help, type, aggregator, values }: Library): Family {
  const isHistogram = String(type) === 'histogram'
  const labels = new Set(values.flatMap(({ labels: given }) => Object.keys(given)))
  if (name === 'nodejs_gc_duration_seconds') labels.add('kind')
  labels.delete('le')
  return {
    name,
    help,
    type: String(type) as Family['type'],
    labels: [...labels],
    ...(isHistogram && { buckets: gcBuckets }),
    // The sum of averages, of percentiles and of start times is not a value. The largest one is that of the worst
    // process, or of the last start.
    merge: aggregator === undefined || aggregator === 'sum' ? 'sum' : 'max',
  }
}

function update(table: SeriesTable, { values }: Library): void {
  const { labels: names, type } = table.family
  const slotOf = (labels: Readonly<Record<string, unknown>>) => table.slot(...names.map(name => String(labels[name])))
  if (type !== 'histogram') {
    for (const { labels, value } of values) {
      const slot = slotOf(labels)
      table.set(slot, value)
      // A process that has just started can have used less CPU time than the system measures.
      if (type === 'counter') table.show(slot)
    }
    return
  }
  /** The number of observations in the smaller buckets of the same series. */
  let below = 0
  for (const { labels, value, metricName = '' } of values) {
    const first = slotOf(labels) * table.width
    if (metricName.endsWith('_sum')) table.values[first + table.width - 1] = value
    if (!metricName.endsWith('_bucket')) continue
    const bound = String((labels as Readonly<Record<string, unknown>>)['le'])
    const bucket = bound === '+Inf' ? gcBuckets.length : gcBuckets.indexOf(Number(bound))
    table.values[first + bucket] = value - (bucket === 0 ? 0 : below)
    below = value
  }
}
