import type { BulkRun } from '../../bulk/bulk-run.ts'
import type { ResultCounts } from '../../bulk/result-chunk.ts'
import { bulkUrls } from './bulk-route.ts'

/** Returns the path of a run. */
export function pathOf({ id }: Pick<BulkRun, 'id'>): string {
  return bulkUrls.run.replace('{id}', id)
}

/** Returns a run as callers see it in a list. */
export function summaryJson(run: BulkRun): object {
  const { id, aggregate, state, items, createdAt, endedAt, retention } = run
  return {
    id,
    aggregate,
    state,
    items,
    createdAt: new Date(createdAt).toISOString(),
    ...(endedAt !== undefined && {
      endedAt: new Date(endedAt).toISOString(),
      expiresAt: new Date(endedAt + retention).toISOString(),
    }),
    results: `${pathOf(run)}/results`,
  }
}

/** Returns a run with its progress. */
export function runJson(run: BulkRun, { succeeded, partial, failed }: ResultCounts): object {
  return { ...summaryJson(run), done: succeeded + partial + failed, succeeded, partial, failed }
}
