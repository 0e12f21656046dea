import type { FastifyBaseLogger } from 'fastify'
import { hasBigint } from '../../core/json/needs-exact.ts'
import { writeJson } from '../../core/json/write.ts'
import type { AnyAggregate } from '../../fanout/aggregate.ts'
import type { Reply } from '../../fanout/reply.ts'
import type { Run } from '../../fanout/run.ts'
import { allowsSharedCache, allowsStoring } from '../../fanout/shared-caches.ts'

/** The warnings that an app has already logged. Each warning is logged once per aggregate. */
export type LoggedWarnings = Set<string>

type AnyReply = Pick<Reply<unknown, string>, 'complete' | 'status' | 'headers'>

/** Returns the `cache-control` that onReply() returned. It is one string. */
function ownCacheControl({ headers }: AnyReply): string | undefined {
  return headers?.['cache-control'] as string | undefined
}

/** Returns whether a reply may be stored at all: it is complete, has the status 200 and is not marked `no-store`. */
function mayBeStored(reply: AnyReply): boolean {
  if (!reply.complete || reply.status !== undefined) return false
  const own = ownCacheControl(reply)
  return own === undefined || allowsStoring(own)
}

/**
 * Returns the `cache-control` of a reply.
 *
 * @param vary The `vary` of a cacheable reply; undefined for a reply that is not cacheable.
 * @param isRehearsed True if faults acted on the run.
 */
export function cacheControlOf(
  { cacheControl }: AnyAggregate['route'],
  reply: AnyReply,
  vary: string | undefined,
  isRehearsed: boolean,
): string {
  const own = ownCacheControl(reply)
  if (!reply.complete || isRehearsed) return 'no-store'
  if (cacheControl === undefined) return own ?? 'no-store'
  if (vary !== undefined) return own ?? cacheControl
  return own === undefined || allowsStoring(own) ? 'no-store' : own
}

/** The data of a reply that may be stored, as JSON, and its `vary`, unless it is sent with `no-store`. */
export interface CacheableParts {
  readonly data: string
  readonly vary: string | undefined
}

/** Returns these parts of a reply, or undefined for a reply that may not be stored. */
export function cacheableParts(
  aggregate: AnyAggregate,
  result: Reply<unknown, string>,
  run: Run,
  loggedWarnings: LoggedWarnings,
  log: FastifyBaseLogger,
): CacheableParts | undefined {
  if (run.reads === undefined || run.isRehearsed || !mayBeStored(result)) return undefined
  // Writing the data may read headers that a layer added to a value, so `vary` is computed after the data is written.
  const data = writeJson(result.data ?? null, hasBigint(aggregate.schema))
  return { data, vary: varyOfCacheable(aggregate, result, run, loggedWarnings, log) }
}

/** Returns the `vary` of a complete reply that is cacheable, and undefined for a reply that is sent with `no-store`. */
function varyOfCacheable(
  { name, route }: AnyAggregate,
  reply: AnyReply,
  { reads, headers }: Run,
  loggedWarnings: LoggedWarnings,
  log: FastifyBaseLogger,
): string | undefined {
  if (reads === undefined) return undefined
  const { vary, isWhole } = reads
  const own = ownCacheControl(reply)
  const cacheControl = own ?? route.cacheControl
  const isShared = own === undefined ? route.isShared : allowsSharedCache(own)
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
