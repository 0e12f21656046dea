import type { ResponseHeaders } from '../../spec/answer.ts'
import { listMembers } from '../../../core/list-header.ts'
import { readHttpDate } from '../../../core/http-date.ts'
import { readDirectives, type Directives } from './directives.ts'
import type { Freshness } from './entry.ts'
import { hasValidator } from './validators.ts'
import type { CachePolicy } from '../../spec/cache-policy.ts'

/** The facts about an answer other than its headers. */
export interface FreshnessContext {
  readonly status: number
  /** The cache options of the operation. */
  readonly policy: CachePolicy
  /** True if the request had an `Authorization` header. */
  readonly isAuthorized: boolean
  /** True if the upstream can confirm the stored answer with a 304. */
  readonly isConfirmable: boolean
  /** The time between the request and its response, in ms. */
  readonly delay: number
  /** The time of the wall clock when it was received. */
  readonly receivedAt: number
}

/** Statuses whose answers may be stored without an explicit lifetime. */
const plainStatuses = new Set([200, 203, 204])

/** Statuses with known cache rules (RFC 9110, section 15), as `must-understand` requires. */
const understoodStatuses = new Set([...plainStatuses, 404, 405, 410, 414])

/**
 * Returns the times for which a shared cache may use an answer (RFC 9111, sections 3 and 4.2). Returns `undefined` if
 * the answer must not be stored, or if storing it has no use. There are no heuristics: an answer without a lifetime, of
 * an operation without a `ttl`, is stale at once.
 */
export function freshnessOf(
  head: ResponseHeaders,
  { status, policy, isAuthorized, isConfirmable, delay, receivedAt }: FreshnessContext,
): Freshness | undefined {
  const directives = readDirectives(head['cache-control'])
  if (
    !mayStore(status, directives) ||
    directives.isPrivate ||
    variesByAnything(head) ||
    head['set-cookie'] !== undefined
  )
    return undefined
  // An operation with a `ttl` declares that its answers may be shared. The key separates credentials in any case.
  if (isAuthorized && policy.ttl === undefined && !isForAll(directives)) return undefined

  const said = lifetimeOf(head, directives, receivedAt)
  if (said === undefined && !plainStatuses.has(status)) return undefined
  const initialAge = initialAgeOf(head, delay, receivedAt)
  const mayBeStale =
    !directives.noCache &&
    !directives.mustRevalidate &&
    !directives.proxyRevalidate &&
    directives.sharedMaxAge === undefined
  const freshness = {
    initialAge,
    // A `ttl` counts from the receipt of the answer. The clock of the upstream, which may be wrong, does not affect it.
    lifetime: directives.noCache ? 0 : (said ?? (policy.ttl === undefined ? 0 : initialAge + policy.ttl)),
    staleWhileRevalidate: mayBeStale ? (directives.staleWhileRevalidate ?? policy.staleWhileRevalidate ?? 0) : 0,
    staleIfError: mayBeStale ? (directives.staleIfError ?? policy.staleIfError ?? 0) : 0,
  }
  const isOfUse = Math.max(freshness.lifetime - initialAge, freshness.staleWhileRevalidate, freshness.staleIfError) > 0
  return isOfUse || (isConfirmable && hasValidator(head)) ? freshness : undefined
}

/** Returns whether `no-store` and `must-understand` let an answer be stored (RFC 9111, section 5.2.2.3). */
function mayStore(status: number, { noStore, mustUnderstand }: Directives): boolean {
  return mustUnderstand ? understoodStatuses.has(status) : !noStore
}

/** Returns whether an answer to a request with `Authorization` may be stored (RFC 9111, section 3.5). */
function isForAll({ isPublic, mustRevalidate, sharedMaxAge }: Directives): boolean {
  return isPublic || mustRevalidate || sharedMaxAge !== undefined
}

/**
 * Returns whether an answer varies by `*`. Any other name of `vary` is in the key, or is the same in every call of its
 * operation.
 */
function variesByAnything(head: ResponseHeaders): boolean {
  return listMembers(head['vary']).includes('*')
}

/** Returns the freshness lifetime in the headers; 0 if it cannot be read. */
function lifetimeOf(
  head: ResponseHeaders,
  { sharedMaxAge, maxAge }: Directives,
  receivedAt: number,
): number | undefined {
  const said = sharedMaxAge ?? maxAge
  const expires = head['expires']
  if (said !== undefined || expires === undefined) return said
  const until = typeof expires === 'string' ? readHttpDate(expires, receivedAt) : undefined
  return until === undefined ? 0 : Math.max(0, until - (dateOf(head, receivedAt) ?? receivedAt))
}

/** Returns the age of the answer when it was received (RFC 9111, section 4.2.3). */
function initialAgeOf(head: ResponseHeaders, delay: number, receivedAt: number): number {
  const [first = ''] = listMembers(head['age'])
  const age = /^\d+$/.test(first) ? Math.min(Number(first), 2 ** 31) * 1000 : 0
  // A date has whole seconds, so a difference below one second is not evidence.
  const apparent = Math.floor((receivedAt - (dateOf(head, receivedAt) ?? receivedAt)) / 1000) * 1000
  return Math.max(apparent, age + delay)
}

function dateOf(head: ResponseHeaders, receivedAt: number): number | undefined {
  const date = head['date']
  return typeof date === 'string' ? readHttpDate(date, receivedAt) : undefined
}
