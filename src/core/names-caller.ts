/** Names of headers that identify a caller: credentials, an identity, or an address. */
const callerName =
  /(?:^|[-_])(?:authorization|auth|cookie|token|jwt|dpop|api-?key|key|secret|password|credentials?|session|sid|assertion|signature|cert|identity|email|tenant|user|account|customer|client|subscription|org|forwarded|forwarded-for|ip)(?:[-_]?id)?$/

/** Names that match and do not identify a caller. */
const others: ReadonlySet<string> = new Set(['idempotency-key'])

/** Returns whether a header, by its lower-case name, identifies the caller. */
export function namesCaller(header: string): boolean {
  return callerName.test(header) && !others.has(header)
}
