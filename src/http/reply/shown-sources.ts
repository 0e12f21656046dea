import type { Outcome } from '../../fanout/outcome.ts'
import type { Reply } from '../../fanout/reply.ts'
import type { SourcesLevel } from '../../fanout/sources-level.ts'
import type { ReplySink } from './reply-sink.ts'
import { setSourceHeaders } from './source-headers.ts'

export { shownSources, statesOf, type States } from '../../fanout/shown-sources.ts'

type Sources = Reply<unknown, string>['sources']

/**
 * Sets the headers about the sources of a reply, as far as callers see them. With `states`, `server-timing` and
 * `headwaters-sources` have the states alone, and there is no `cache-status`.
 *
 * @param withSources True if `headwaters-sources` is set.
 */
export function setShownHeaders(sink: ReplySink, level: SourcesLevel, sources: Sources, withSources: boolean): void {
  if (level === 'full') return setSourceHeaders(sink, sources, withSources)
  if (level === 'none') return
  const entries = Object.entries(sources)
  const timing = entries.filter(([, { start }]) => start !== undefined)
  sink.header('server-timing', timing.map(([name, { state }]) => `${name};desc="${state}"`).join(', '))
  if (withSources)
    sink.header(
      'headwaters-sources',
      entries.map(([name, source]) => `${name.toLowerCase()}=${parametersOf(source)}`).join(', '),
    )
}

function parametersOf({ state, fault }: Outcome): string {
  return fault === undefined ? state : `${state};fault=${fault}`
}
