import type { DefinitionFault } from '../../definitions/definitions-error.ts'
import type { FilesState } from '../../definitions/files-state.ts'
import type { RefusedReload } from '../../http/lifecycle/health.ts'
import type { Watched } from '../../overview/overview.ts'
import { isList, isObject, isText, parsed } from './message-values.ts'
import { readWatched } from './read-watched.ts'

/**
 * The steps of a reload in a worker. `prepare`: it loads the definitions and builds their app. `commit`: the app serves
 * from now on. `drop`: the app is closed. `refused`: the primary has refused a reload, which the worker shows.
 * `describe`: it describes the definitions that it serves.
 */
export type ReloadStep =
  | { readonly step: 'prepare' | 'commit' | 'drop' | 'describe' }
  | { readonly step: 'refused'; readonly refused: RefusedReload }

/** The definitions that a worker has loaded. */
export interface LoadedInWorker {
  /** The route and the name of each aggregate. */
  readonly aggregates: readonly string[]
  /** The files that the load evaluated. */
  readonly evaluated: readonly string[]
  /** The upstreams and aggregates, for the dashboard. */
  readonly watched: Watched
}

/** The answer of a worker to a step. */
export interface ReloadAnswer {
  /** Its faults, if it cannot serve the definitions. */
  readonly faults: readonly string[]
  /** The definitions, after `prepare` without a fault and after `describe`. */
  readonly loaded?: LoadedInWorker | undefined
  /** The files, after `prepare` and after `describe`. */
  readonly files?: FilesState | undefined
}

/** The answers of workers to one step. */
export interface ReloadAnswers {
  /** The faults of all workers, each once. */
  readonly faults: readonly DefinitionFault[]
  /** The definitions that the first worker has loaded. */
  readonly loaded: LoadedInWorker | undefined
  /** The state of the files in each worker that has answered with it. */
  readonly states: readonly FilesState[]
}

/** Returns the answer of a worker, or `undefined` if it has not answered in time. */
export function readReloadAnswer(text: string | undefined): ReloadAnswer | undefined {
  const value = parsed(text)
  if (!isObject(value)) return undefined
  const { faults, loaded, files } = value
  return isList(faults, isText) ? { faults, loaded: readLoaded(loaded), files: readFiles(files) } : undefined
}

function readLoaded(value: unknown): LoadedInWorker | undefined {
  if (!isObject(value)) return undefined
  const { aggregates, evaluated } = value
  const watched = readWatched(value['watched'])
  return watched && isList(aggregates, isText) && isList(evaluated, isText)
    ? { aggregates, evaluated, watched }
    : undefined
}

function readFiles(value: unknown): FilesState | undefined {
  if (!isObject(value)) return undefined
  const { listed, stamps } = value
  return isText(listed) && isList(stamps, isStamp) ? { listed, stamps } : undefined
}

function isStamp(value: unknown): value is readonly [string, string] {
  return isList(value, isText) && value.length === 2
}
