import type { FastifyBaseLogger } from 'fastify'
import type { AnyAggregate } from '../../fanout/aggregate.ts'
import type { Run } from '../../fanout/run.ts'

/** The warnings that an app has already logged. Each warning is logged once per aggregate. */
export type LoggedWarnings = Set<string>

/** Returns the `vary` of a complete reply that is cacheable, and undefined for a reply that is sent with `no-store`. */
export function varyOfCacheable(
  { name, route: { cacheControl, isShared } }: AnyAggregate,
  { reads, headers }: Run,
  loggedWarnings: LoggedWarnings,
  log: FastifyBaseLogger,
): string | undefined {
  if (reads === undefined) return undefined
  const { vary, isWhole } = reads
  if (isWhole) {
    if (!loggedWarnings.has(`all of ${name}`)) {
      loggedWarnings.add(`all of ${name}`)
      log.warn(
        { aggregate: name },
        `aggregate '${name}': the reply is sent with no-store instead of its cacheControl '${cacheControl}', ` +
          'because a layer or the headers schema lists all request headers: read each header by its name',
      )
    }
    return undefined
  }
  if (isShared)
    for (const [header, source] of vary.credentials) {
      if (headers[header] === undefined) continue
      if (!loggedWarnings.has(name)) {
        loggedWarnings.add(name)
        log.warn(
          { aggregate: name, header },
          `aggregate '${name}': the reply is sent with no-store because it depends on the header '${header}' ` +
            `(${source}), and its cacheControl '${cacheControl}' lets a shared cache send it to other callers: ` +
            `use private, for example 'private, max-age=60'`,
        )
      }
      return undefined
    }
  return vary.text
}
