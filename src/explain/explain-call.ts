import { redactedPath } from '../core/redacted-path.ts'
import { namesCredential } from '../core/redacted-query.ts'
import type { RequestTrace } from '../trace/request-trace.ts'
import { readCredentials } from '../upstream/auth/access.ts'
import type { Call } from '../upstream/call/call.ts'
import { StreamBody } from '../upstream/call/write-body/stream-body.ts'
import { cacheKeyPartNames } from '../upstream/policies/cache/cache-key.ts'
import type { OperationSpec, UpstreamSpec } from '../upstream/spec/spec.ts'
import { keyPartNames, requestHeaders, requestTarget, type Credentials } from '../upstream/transport/dispatch.ts'
import type { UpstreamAddress } from '../upstream/transport/transport.ts'
import type { CallKey, ExplainedCall, SentHeader, Times } from './explanation.ts'

/** The parts of a request that its calls may pass on. */
export interface Inbound {
  /** The headers, by lower-case name. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly trace: RequestTrace
}

/** The word that stands for a secret in a query. */
const redacted = 'REDACTED'

/** Explains a call: its method, target and headers are made by the functions that send it. */
export function explainCall(
  call: Call<unknown>,
  times: Times,
  inbound: Inbound,
  { url, prefix }: UpstreamAddress,
): ExplainedCall {
  const { spec, body, idempotencyKey, headers, operation, path } = call
  const credentials = credentialsOf(spec.upstream)
  const written = requestHeaders(credentials)({
    spec,
    body,
    idempotencyKey,
    headers,
    scope: inbound,
    attempt: { spanId: undefined },
  })
  return {
    operation,
    method: spec.method,
    origin: url.origin,
    // An identity is shown: the operator gave it, and a fan-out over users must show whose call this is.
    path: redactedPath(requestTarget(prefix, path, credentials.query), spec.template.path, namesCredential),
    headers: headersOf(call, written, credentials),
    body: body === undefined ? null : spec.bodyType,
    times,
    key: keyOf(call),
    notes: [...notesOf(spec), ...retryNotes(call)],
  }
}

/** Returns the credentials of an upstream with words in place of its secrets. No variable is read. */
function credentialsOf({ auth }: UpstreamSpec): Credentials {
  const none = { headers: [], query: '' }
  if (auth === undefined) return none
  const read = readCredentials(auth, { secret: () => redacted, secrets: [] })
  return read ?? { ...none, headers: ['authorization', redacted] }
}

function headersOf(call: Call<unknown>, written: readonly string[], credentials: Credentials): SentHeader[] {
  const names = written.filter((_, at) => at % 2 === 0).map(name => name.toLowerCase())
  return names
    .map(name => ({ name, from: sourceOf(name, call, credentials) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

function sourceOf(name: string, { spec: { upstream }, headers }: Call<unknown>, credentials: Credentials): string {
  if (headers !== undefined && Object.hasOwn(headers, name)) return 'call'
  if (name === 'idempotency-key') return 'idempotencyKey'
  if (credentials.headers.includes(name)) return 'auth'
  if (Object.keys(upstream.headers).some(each => each.toLowerCase() === name)) return 'headers'
  if (upstream.forwardHeaders.includes(name)) return 'forwardHeaders'
  if (name === 'traceparent' || name === 'tracestate') return 'traceContext'
  return name === 'content-type' || name === 'content-length' ? 'body' : 'default'
}

function keyOf({ spec, body, idempotencyKey, headers }: Call<unknown>): CallKey | null {
  const absent = [...(body === undefined ? ['body'] : []), ...(idempotencyKey === undefined ? ['idempotency-key'] : [])]
  const parts = keyPartNames({ spec, headers }).filter(name => !absent.includes(name))
  if (spec.cache !== undefined)
    return { for: 'cache', parts: [...cacheKeyPartNames(spec), ...parts, 'the headers in vary of the answer'] }
  return spec.coalesce ? { for: 'coalesce', parts } : null
}

function notesOf({ cache, keyBatch, upstream: { layers, redirects } }: OperationSpec): string[] {
  const custom = layers.call.length + layers.attempt.length
  return [
    ...(custom === 0 ? [] : [`${custom === 1 ? '1 custom layer' : `${custom} custom layers`} may change its headers`]),
    ...(keyBatch === undefined ? [] : [`the calls of one run share a request for up to ${keyBatch.maxKeys} keys`]),
    ...(redirects === 0 ? [] : [`it may follow up to ${redirects} redirects within its origin`]),
    ...Object.entries(cache ?? {}).flatMap(([name, ms]) => (ms === undefined ? [] : [`cache.${name} is ${ms} ms`])),
  ]
}

/** Returns the notes about an unsafe call, and about a call that is not sent again after a failure. */
function retryNotes({ spec, body, idempotencyKey }: Call<unknown>): string[] {
  const { safe, method, idempotent, upstream } = spec
  const isOneShot = body instanceof StreamBody
  const isRepeatable = (idempotent || idempotencyKey !== undefined) && !isOneShot
  const reason = isOneShot ? 'its body is a stream' : `${method} without idempotencyKey`
  return [
    ...(safe ? [] : ['it may change something: attemptTimeout and hedge do not apply']),
    ...(upstream.retry === false || isRepeatable ? [] : [`a retry follows only if it was not sent: ${reason}`]),
  ]
}
