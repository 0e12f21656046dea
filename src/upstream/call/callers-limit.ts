import type { LiveCall } from './live-call.ts'

/** Names of headers that identify a caller: credentials, an identity, or an address. */
const callerName =
  /(?:^|[-_])(?:authorization|auth|cookie|token|jwt|dpop|api-?key|key|secret|password|credentials?|session|sid|assertion|signature|cert|identity|email|tenant|user|account|customer|client|subscription|org|forwarded|forwarded-for|ip)(?:[-_]?id)?$/

/** Names that match and do not identify a caller. */
const others: ReadonlySet<string> = new Set(['idempotency-key'])

/** Returns whether a header, by its lower-case name, identifies the caller. */
export function namesCaller(header: string): boolean {
  return callerName.test(header) && !others.has(header)
}

/**
 * Returns whether the upstream can distinguish callers: by a forwarded header, by a header in the input of the call, or
 * by a header that a custom layer of `layers.call` added. A 429 is then the limit of one caller, and not evidence about
 * the capacity of the upstream.
 */
export function isCallersLimit({ spec, effort, headers }: LiveCall<unknown>): boolean {
  if (effort.namesCaller || spec.upstream.forwardHeaders.some(namesCaller)) return true
  if (spec.headers === undefined || headers === undefined) return false
  return Array.from(spec.headers.names.values()).some(name => Object.hasOwn(headers, name) && namesCaller(name))
}
