import type { AuthOptions } from '../../spec/access-options.ts'
import type { LiveCall } from '../../call/call.ts'
import { isCloseDelimited, type ResponseHeaders } from '../../transport/response-headers.ts'
import type { Clock, Entry, LookupResult } from './entry.ts'
import { renewedHead } from './condition.ts'
import { entryOf, renewed, type ReceivedResponse } from './entry-of.ts'
import { freshnessOf } from './freshness.ts'
import type { CachePolicy } from '../../spec/cache-policy.ts'
import type { CacheAdapter } from './cache-adapter.ts'

/** Stores an answer that may be stored, and removes the entry under its key otherwise. */
export function storeAnswer(
  adapter: CacheAdapter,
  clock: Clock,
  key: string,
  call: LiveCall<unknown>,
  came: ReceivedResponse,
  requestedAt: number,
): void {
  const times = { requestedAt, receivedAt: clock.steady() }
  // Node gives the same events for close_notify and for a bare FIN, so a cut body that its connection ends looks
  // complete (RFC 9112, section 9.8).
  const mayBeCut = isCloseDelimited(call.spec.method, came.status, came.head)
  const freshness = mayBeCut ? undefined : freshnessFor(call, came.status, came.head, times, clock)
  if (freshness === undefined) adapter.forget(key)
  else adapter.store(key, entryOf(call.spec, came, times, freshness, adapter.keeps))
}

/** Stores an entry again after the upstream has confirmed it with a 304 (RFC 9111, section 4.3.4). */
export function storeRenewed(
  adapter: CacheAdapter,
  clock: Clock,
  key: string,
  call: LiveCall<unknown>,
  found: LookupResult,
  confirmation: ResponseHeaders,
  requestedAt: number,
): void {
  const times = { requestedAt, receivedAt: clock.steady() }
  const { entry } = found
  const head = renewedHead(entry.head, confirmation)
  const freshness = freshnessFor(call, entry.status, head, times, clock)
  if (freshness === undefined) adapter.forget(key)
  else adapter.store(key, renewed(found, head, times, freshness))
}

function freshnessFor(
  call: LiveCall<unknown>,
  status: number,
  head: ResponseHeaders,
  { requestedAt, receivedAt }: Pick<Entry, 'requestedAt' | 'receivedAt'>,
  clock: Clock,
) {
  return freshnessOf(head, {
    status,
    policy: call.spec.cache as CachePolicy,
    isAuthorized: isAuthorized(call),
    delay: receivedAt - requestedAt,
    receivedAt: clock.wall(),
  })
}

/** Whether a call carries credentials of its caller's or of ours in `Authorization`. */
function isAuthorized({ spec: { upstream }, scope, headers }: LiveCall<unknown>): boolean {
  return (
    authorizes(upstream.auth) ||
    headers?.['authorization'] !== undefined ||
    (upstream.forwardHeaders.includes('authorization') && scope.headers['authorization'] !== undefined) ||
    Object.keys(upstream.headers).some(name => name.toLowerCase() === 'authorization')
  )
}

function authorizes(auth: AuthOptions | undefined): boolean {
  return (
    auth !== undefined && !('query' in auth) && (!('header' in auth) || auth.header.toLowerCase() === 'authorization')
  )
}
