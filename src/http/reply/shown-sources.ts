import type { Reply } from '../../fanout/reply.ts'
import type { SourcesLevel } from '../../fanout/sources-level.ts'
import type { ReplySink } from './reply-sink.ts'
import { setSourceHeaders } from './source-headers.ts'

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

/**
 * Sets the headers about the sources of a reply, as far as callers see them. With `states`, `server-timing` and
 * `headwaters-sources` have the states alone, and there is no `cache-status`.
 *
 * @param withSources True if `headwaters-sources` is set.
 */
export function setShownHeaders(
  sink: ReplySink,
  level: SourcesLevel,
  sources: Sources,
  withSources: boolean,
): void {
  if (level === 'full') return setSourceHeaders(sink, sources, withSources)
  if (level === 'none') return
  const entries = Object.entries(sources)
  const timing = entries.filter(([, { start }]) => start !== undefined)
  sink.header('server-timing', timing.map(([name, { state }]) => `${name};desc="${state}"`).join(', '))
  if (withSources)
    sink.header('headwaters-sources', entries.map(([name, { state }]) => `${name.toLowerCase()}=${state}`).join(', '))
}
