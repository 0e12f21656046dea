import type { Reply } from './reply.ts'
import type { SourcesLevel } from './sources-level.ts'

type Sources = Reply<unknown, string>['sources']

/** The names and the states of steps, with their rehearsed faults. */
export type States = Readonly<Record<string, { readonly state: string; readonly fault?: string }>>

/** Returns the part of the outcomes that callers see; undefined for the level `none`. */
export function shownSources(level: SourcesLevel, sources: Sources): Sources | States | undefined {
  return level === 'full' ? sources : level === 'states' ? statesOf(sources) : undefined
}

/** Returns the outcomes with nothing but their states, and the faults that their caller asked for. */
export function statesOf(sources: States): States {
  return Object.fromEntries(Object.entries(sources).map(([name, source]) => [name, stateOf(source)]))
}

/** Returns the state of an outcome, with its rehearsed fault. */
export function stateOf({ state, fault }: States[string]): States[string] {
  return fault === undefined ? { state } : { state, fault }
}
