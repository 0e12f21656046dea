import type { LiveCall } from '../../call/call.ts'
import { isCloseDelimited, type ResponseHeaders } from '../../transport/response-headers.ts'
import type { Clock } from './clock.ts'
import { renewedHead } from './condition.ts'
import type { Entry, Found } from './entry.ts'
import { entryOf, renewed, type ReceivedResponse } from './entry-of.ts'
import { freshnessOf } from './freshness.ts'
import { isAuthorized } from './is-authorized.ts'
import type { CachePolicy } from '../../spec/cache-policy.ts'
import type { CacheAdapter } from './cache-adapter.ts'

/** Keeps an answer that may be kept; one that may not takes what was kept before along. */
export function keepAnswer(
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
  const freshness = mayBeCut ? undefined : judged(call, came.status, came.head, times, clock)
  if (freshness === undefined) adapter.forget(key)
  else adapter.store(key, entryOf(call.spec, came, times, freshness, adapter.keeps))
}

/** Keeps an entry for longer, since the upstream has said that it has not changed (RFC 9111, section 4.3.4). */
export function keepOn(
  adapter: CacheAdapter,
  clock: Clock,
  key: string,
  call: LiveCall<unknown>,
  found: Found,
  confirmation: ResponseHeaders,
  requestedAt: number,
): void {
  const times = { requestedAt, receivedAt: clock.steady() }
  const { entry } = found
  const head = renewedHead(entry.head, confirmation)
  const freshness = judged(call, entry.status, head, times, clock)
  if (freshness === undefined) adapter.forget(key)
  else adapter.store(key, renewed(found, head, times, freshness))
}

function judged(
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
