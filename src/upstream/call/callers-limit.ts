import type { LiveCall } from './call.ts'

/** Names whose last words stand for who asks: credentials, an identity, or an address. */
const callerName =
  /(?:^|[-_])(?:authorization|auth|cookie|token|jwt|dpop|api-?key|key|secret|password|credentials?|session|sid|assertion|signature|cert|identity|email|tenant|user|account|customer|client|subscription|org|forwarded|forwarded-for|ip)(?:[-_]?id)?$/

/** Names that end like one of those and say nothing about who asks. */
const others: ReadonlySet<string> = new Set(['idempotency-key'])

/** Tells whether a header, by its lower-case name, says who the caller is. */
export function namesCaller(header: string): boolean {
  return callerName.test(header) && !others.has(header)
}

/**
 * Returns whether the upstream can tell callers apart: by a forwarded header, or by a header that a custom layer at
 * `'call'` added. A 429 is then the limit of one caller, and says nothing about the capacity of the upstream.
 */
export function isCallersLimit({ spec, effort }: LiveCall<unknown>): boolean {
  return effort.namesCaller || spec.upstream.forwardHeaders.some(namesCaller)
}
