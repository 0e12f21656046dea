import type { RunFilter } from './run-source.ts'
import type { StoredRun } from './stored-run.ts'

/** The place of a run in a list: its start in ms since 1970, and its id. */
type Position = Pick<StoredRun, 'startedAt' | 'id'>

/** Returns the runs that meet a filter and are before its position, the newest first, and whether there are more. */
export function selectRuns(
  runs: Iterable<StoredRun>,
  filter: RunFilter,
  worker: number | null,
): { readonly selected: readonly StoredRun[]; readonly hasMore: boolean } {
  const { before, limit } = filter
  const position = before === undefined ? undefined : readPosition(before)
  const found: StoredRun[] = []
  if (filter.worker === undefined || filter.worker === worker)
    for (const run of runs)
      if ((position === undefined || isOlder(run, position)) && meets(run, filter)) found.push(run)
  found.sort((one, other) => (isOlder(one, other) ? 1 : -1))
  return { selected: found.slice(0, limit), hasMore: found.length > limit }
}

function meets(run: StoredRun, { states, aggregate, upstream, request, trace, min = 0 }: RunFilter): boolean {
  return (
    run.ms >= min &&
    (states === undefined || states.includes(run.state)) &&
    (aggregate === undefined || run.described.name === aggregate) &&
    (request === undefined || run.request.requestId === request || run.id === request) &&
    (trace === undefined || run.request.traceId === trace) &&
    (upstream === undefined || run.operations.some(operation => operation.upstream === upstream))
  )
}

function isOlder(run: Position, other: Position): boolean {
  return run.startedAt < other.startedAt || (run.startedAt === other.startedAt && run.id < other.id)
}

/** Returns the text of the position of a run, for `before`. */
export function positionOf({ startedAt, id }: Position): string {
  return `${startedAt}_${id}`
}

/** Reads a position. Returns `undefined` for a text that is not one. */
export function readPosition(text: string): Position | undefined {
  const end = text.indexOf('_')
  if (end === -1) return undefined
  const startedAt = Number(text.slice(0, end))
  return Number.isSafeInteger(startedAt) && end > 0 ? { startedAt, id: text.slice(end + 1) } : undefined
}
