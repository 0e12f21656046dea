import type { UpstreamError } from '../../errors.ts'
import type { ResponseHeaders } from '../spec/answer.ts'

/** The `Location` of responses that failed an attempt. It is text of the upstream, so it is not part of the error. */
const locations = new WeakMap<UpstreamError, string | string[]>()

/** The statuses of a redirect to another URI (RFC 9110, section 15.4). */
const redirects = new Set([301, 302, 303, 307, 308])

/** Records the `Location` of a response that failed its attempt, if it is a redirect. */
export function recordLocation(error: UpstreamError, location: ResponseHeaders[string]): void {
  if (location !== undefined && error.code === 'UPSTREAM_STATUS' && redirects.has(error.upstreamStatus as number))
    locations.set(error, location)
}

/** Returns the `Location` of the redirect that failed an attempt; `undefined` for another failure. */
export function locationOf(error: unknown): string | string[] | undefined {
  return locations.get(error as UpstreamError)
}
