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
 * Tells whether the upstream knows the callers of this call's upstream apart: by a forwarded header, or by one that an
 * own layer at `'call'` gave it. A 429 is then the limit of one caller, and says nothing about what the upstream can
 * take.
 */
export function isCallersLimit({ spec, effort }: LiveCall<unknown>): boolean {
  return effort.namesCaller || spec.upstream.forwardHeaders.some(namesCaller)
}
