import type { BulkRow, BulkRuns } from '../../src/dashboard/protocol.ts'

const hour = 3_600_000

/**
 * Returns a bulk run as the dashboard gets it.
 *
 * @param id - The digits of its id that are not 0.
 */
export function bulkRow(id: number | string, row: Partial<BulkRow> = {}): BulkRow {
  return {
    id: String(id).padStart(32, '0'),
    aggregate: 'product-page',
    state: 'running',
    items: 1000,
    done: 0,
    counts: { succeeded: row.done ?? 0, partial: 0, failed: 0 },
    createdAt: 0,
    endedAt: null,
    expiresAt: null,
    ...row,
  }
}

/** Returns the event of these runs. */
export function bulkRuns(at: number, rows: readonly BulkRow[], event: Partial<BulkRuns> = {}): BulkRuns {
  return { type: 'bulk', at, status: 'read', rows, all: rows.length, ...event }
}

/** Returns runs in every state, as a shop has them. Two of them go on: `seconds` is the time since `at`. */
export function shopBulkRuns(at: number, seconds = 0): BulkRuns {
  const ended = (ago: number) => ({ endedAt: at - ago, expiresAt: at - ago + 7 * 24 * hour })
  const done = 412_300 + 1200 * seconds
  const other = 18_200 + 100 * seconds
  return bulkRuns(at, [
    bulkRow('a1b2c3d4e5f60718', {
      aggregate: 'order-total',
      items: 1_000_000,
      done,
      counts: { succeeded: done - 9300, partial: 6100, failed: 3200 },
      createdAt: at - 340_000,
    }),
    bulkRow('b1b2c3d4e5f60718', { items: 50_000, done: other, counts: null, createdAt: at - 95_000 }),
    bulkRow('c1b2c3d4e5f60718', { aggregate: 'recommendations', state: 'waiting', items: 300, createdAt: at - hour }),
    bulkRow('d1b2c3d4e5f60718', { state: 'paused', items: 20_000, done: 7400, createdAt: at - 26 * hour }),
    bulkRow('e1b2c3d4e5f60718', {
      aggregate: 'order-total',
      state: 'completed',
      items: 12_345,
      done: 12_345,
      counts: { succeeded: 12_001, partial: 0, failed: 344 },
      createdAt: at - 3 * hour,
      ...ended(2 * hour),
    }),
    bulkRow('f1b2c3d4e5f60718', {
      state: 'cancelled',
      items: 80_000,
      done: 31_100,
      createdAt: at - 52 * hour,
      ...ended(50 * hour),
    }),
  ])
}
