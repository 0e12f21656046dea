import { durationBuckets } from '../../../src/metrics/family.ts'
import { SeriesTable } from '../../../src/metrics/series-table.ts'

/** A counter, a gauge and a histogram with some series. */
export function someTables(): { calls: SeriesTable; permits: SeriesTable; waits: SeriesTable; tables: SeriesTable[] } {
  const calls = new SeriesTable({
    name: 'headwaters_calls_total',
    help: 'Calls by their result.',
    type: 'counter',
    labels: ['upstream', 'code'],
  })
  const permits = new SeriesTable({
    name: 'headwaters_permits_in_use',
    help: 'Permits in use.',
    type: 'gauge',
    labels: ['upstream'],
  })
  const waits = new SeriesTable({
    name: 'headwaters_wait_seconds',
    help: 'Time of waiting.',
    type: 'histogram',
    labels: ['upstream', 'reason'],
    buckets: durationBuckets,
  })
  return { calls, permits, waits, tables: [calls, permits, waits] }
}
