import type { RefusedReload } from '../../http/lifecycle/health.ts'
import { isList, isObject, isText, parsed } from './message-values.ts'

/**
 * The steps of a reload in a worker. `prepare`: it loads the definitions and builds their app. `commit`: the app serves
 * from now on. `drop`: the app is closed. `refused`: the primary has refused a reload, which the worker shows.
 */
export type ReloadStep =
  { readonly step: 'prepare' | 'commit' | 'drop' } | { readonly step: 'refused'; readonly refused: RefusedReload }

/** The answer of a worker to a step: its faults, if it cannot serve the definitions. */
export interface ReloadAnswer {
  readonly faults: readonly string[]
}

/** Returns the answer of a worker, or `undefined` if it has not answered in time. */
export function readReloadAnswer(text: string | undefined): ReloadAnswer | undefined {
  const value = parsed(text)
  if (!isObject(value)) return undefined
  const { faults } = value
  return isList(faults, isText) ? { faults } : undefined
}
