import type { FastifyBaseLogger } from 'fastify'
import type { AnyAggregate } from '../../fanout/aggregate.ts'
import type { Run } from '../../fanout/run.ts'

/** The warnings that an app has logged already. Each is logged once per aggregate. */
export type LoggedWarnings = Set<string>

/** Returns the `vary` of a complete reply that is cacheable, and undefined for one that is sent with `no-store`. */
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
        `aggregate '${name}': a reply is sent with no-store in place of the cacheControl '${cacheControl}', ` +
          'because a layer or the headers schema reads all headers of the request: read headers by their names',
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
          `aggregate '${name}': a reply that depends on the header '${header}' (${source}) is sent with ` +
            `no-store, because the cacheControl '${cacheControl}' lets a shared cache give it to other ` +
            `callers: add private, for example 'private, max-age=60'`,
        )
      }
      return undefined
    }
  return vary.text
}
