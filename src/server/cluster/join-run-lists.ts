import { runClasses } from '../../kept/run-store.ts'
import { positionOf } from '../../kept/select-runs.ts'
import type { RunClass, RunList, RunRow } from '../../waterfall/kept-run.ts'

/**
 * Joins the lists of workers to the list that one process would have.
 *
 * @param lists The lists for the same filter.
 * @param silent The workers that did not answer.
 * @param limit The largest number of runs in the list.
 */
export function joinRunLists(lists: readonly RunList[], silent: readonly number[], limit: number): RunList {
  const found = lists.flatMap(({ runs }) => runs).toSorted(newestFirst)
  const runs = found.slice(0, limit)
  const last = runs.at(-1)
  const hasMore = found.length > limit || lists.some(({ next }) => next !== null)
  return {
    runs,
    next: hasMore && last !== undefined ? positionOf({ startedAt: Date.parse(last.at), id: last.id }) : null,
    kept: byClass(name => lists.reduce((sum, { kept }) => sum + kept[name], 0)),
    oldest: byClass(name => earliest(lists.map(({ oldest }) => oldest[name]))),
    incomplete: [...new Set(silent)].sort((one, other) => one - other),
  }
}

/** Compares by the start, and by the id if the starts are equal, as the list of one process does. */
function newestFirst(one: RunRow, other: RunRow): number {
  if (one.at !== other.at) return one.at < other.at ? 1 : -1
  return one.id < other.id ? 1 : -1
}

/** ISO dates have the order of their texts. */
function earliest(dates: readonly (string | null)[]): string | null {
  return dates.reduce((first, date) => (first === null || (date !== null && date < first) ? date : first), null)
}

function byClass<T>(read: (runClass: RunClass) => T): Record<RunClass, T> {
  return Object.fromEntries(runClasses.map(name => [name, read(name)])) as Record<RunClass, T>
}
