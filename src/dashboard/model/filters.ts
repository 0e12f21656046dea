import type { RunRow } from '../../waterfall/kept-run.ts'

/** The states by which runs are filtered. A run that is `slow` also has one of the other states. */
export const filterStates = ['failed', 'partial', 'slow', 'cancelled', 'complete'] as const
export type FilterState = (typeof filterStates)[number]

/** The filters of the list of runs. They are in the query of the page, so that a link or a reload has them. */
export interface RunFilters {
  /** Empty for all states. */
  readonly states: readonly FilterState[]
  /** The name of an aggregate; empty for all. */
  readonly aggregate: string
  /** The name of an upstream; empty for all. */
  readonly upstream: string
  /** The shortest duration, in ms; 0 for all. */
  readonly min: number
  /** A part of the id of the run, of the request or of the trace, or of the code; empty for all. */
  readonly text: string
}

export const noFilters: RunFilters = { states: [], aggregate: '', upstream: '', min: 0, text: '' }

/** The longest duration that a filter has, in ms: a day. */
const longest = 86_400_000

/** Reads the filters of a query. A value that is not known or not a duration is left out. */
export function readFilters(search: string): RunFilters {
  const query = new URLSearchParams(search)
  const states = (query.get('state') ?? '').split(',')
  const min = Number(query.get('min') ?? 0)
  return {
    states: filterStates.filter(state => states.includes(state)),
    aggregate: query.get('aggregate') ?? '',
    upstream: query.get('upstream') ?? '',
    min: min >= 0 && min <= longest ? min : 0,
    text: query.get('text') ?? '',
  }
}

/** Returns a query with these filters. Its other parameters stay. */
export function withFilters(search: string, { states, aggregate, upstream, min, text }: RunFilters): string {
  return withValues(search, {
    state: states.join(','),
    aggregate,
    upstream,
    min: min === 0 ? '' : String(min),
    text,
  })
}

/** Returns the id of the open run of a query; undefined without one. */
export function readRun(search: string): string | undefined {
  return new URLSearchParams(search).get('run') || undefined
}

/** Returns a query with an open run, or without one. Its other parameters stay. */
export function withRun(search: string, run: string | undefined): string {
  return withValues(search, { run: run ?? '' })
}

function withValues(search: string, values: Readonly<Record<string, string>>): string {
  const query = new URLSearchParams(search)
  for (const [name, value] of Object.entries(values)) {
    if (value === '') query.delete(name)
    else query.set(name, value)
  }
  const text = query.toString()
  // A comma needs no escape, and states are easier to read with it.
  return text === '' ? '' : `?${text.replaceAll('%2C', ',')}`
}

/** Returns the number of filters that are set. */
export function countFilters({ states, aggregate, upstream, min, text }: RunFilters): number {
  return [states.length > 0, aggregate !== '', upstream !== '', min > 0, text.trim() !== ''].filter(isSet => isSet)
    .length
}

/** Returns true if a run passes all filters. */
export function passes({ states, aggregate, upstream, min, text }: RunFilters, row: RunRow): boolean {
  return (
    (states.length === 0 || states.some(state => (state === 'slow' ? row.isSlow : row.state === state))) &&
    (aggregate === '' || row.aggregate === aggregate) &&
    (upstream === '' || row.upstreams.includes(upstream)) &&
    row.ms >= min &&
    hasText(row, text.trim().toLowerCase())
  )
}

function hasText({ id, requestId, traceId, aggregate, code, lost }: RunRow, text: string): boolean {
  if (text === '') return true
  const texts = [id, requestId, traceId, aggregate, code, ...lost.flatMap(each => [each.step, each.code])]
  return texts.some(each => each !== null && each.toLowerCase().includes(text))
}

/**
 * Returns the path of the kept runs that may pass the filters. The service has no filter for slow runs and for a part
 * of a text, so the page filters its answer again.
 *
 * @param before - The run or the value of `next` before which the runs are; without it, the answer has the newest runs.
 */
export function keptRunsPath(filters: RunFilters, limit: number, before?: RunRow | string): string {
  return pathOf(
    { ...conditions(filters), before: typeof before === 'object' ? positionOf(before) : (before ?? '') },
    limit,
  )
}

/**
 * Returns the paths of the kept runs whose request, run or trace has the text of the filters as its id. A list of the
 * newest runs need not have them.
 */
export function namedRunsPaths(filters: RunFilters, limit: number): string[] {
  const text = filters.text.trim()
  if (text === '') return []
  return [{ request: text }, { trace: text.toLowerCase() }].map(id => pathOf({ ...conditions(filters), ...id }, limit))
}

function conditions({ states, aggregate, upstream, min }: RunFilters): Record<string, string> {
  return {
    state: states.includes('slow') ? '' : states.join(','),
    aggregate,
    upstream,
    min: min < 1 ? '' : String(Math.floor(min)),
  }
}

function pathOf(values: Readonly<Record<string, string>>, limit: number): string {
  return `/requests${withValues('', { ...values, limit: String(limit) })}`
}

/** Returns the position of a run in the list of the service, as `next` has it. */
function positionOf({ at, id }: RunRow): string {
  return `${Date.parse(at)}_${id}`
}
