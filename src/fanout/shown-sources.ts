import type { Reply } from './reply.ts'
import type { SourcesLevel } from './sources-level.ts'

type Sources = Reply<unknown, string>['sources']

/** The names and the states of steps. */
export type States = Readonly<Record<string, { readonly state: string }>>

/** Returns the part of the outcomes that callers see; undefined for the level `none`. */
export function shownSources(level: SourcesLevel, sources: Sources): Sources | States | undefined {
  return level === 'full' ? sources : level === 'states' ? statesOf(sources) : undefined
}

/** Returns the outcomes with nothing but their states. */
export function statesOf(sources: Readonly<Record<string, { readonly state: string }>>): States {
  return Object.fromEntries(Object.entries(sources).map(([name, { state }]) => [name, { state }]))
}
