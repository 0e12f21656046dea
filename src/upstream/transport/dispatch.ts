import type { Dispatcher } from 'undici'
import { ids } from '../../trace/ids.ts'
import { writeTraceparent, type TraceContext } from '../../trace/trace-context.ts'
import type { Attempt } from '../call/attempt.ts'
import { bodyKey } from '../call/body-key.ts'
import type { LiveCall } from '../call/live-call.ts'
import type { Scope } from '../call/scope.ts'
import { Exchange } from './exchange.ts'
import { headerOf, isTraceHeader } from '../../core/headers.ts'
import { serviceOf, type Service } from '../call/layer.ts'
import type { Pool } from './pool.ts'
import type { OperationSpec } from '../spec/spec.ts'
import { contentOf, ownContentType, type RequestBody } from '../call/write-body/request-body.ts'
import { StreamBody } from '../call/write-body/stream-body.ts'

/** The headers and the query that contain the credentials of every call. A change of the headers replaces the list. */
export interface Credentials {
  /** Names in lower case and values, alternating. */
  readonly headers: readonly string[]
  /** `key=value`, encoded; empty without credentials in the query. */
  readonly query: string
}

const noCredentials: Credentials = { headers: [], query: '' }

/** Creates the innermost service. It sends each call as one request of the pool, and reads the whole response. */
export function dispatch(
  pool: Pick<Pool, 'dispatch'>,
  prefix: string,
  credentials = noCredentials,
  isPipelined = false,
): Service {
  const headersOf = requestHeaders(credentials)
  const { query } = credentials
  return serviceOf((call, completion) => {
    if (call.abort.aborted) return completion.reject(call.abort.reason)
    const { spec, path, body } = call
    if (typeof body === 'object' && body instanceof StreamBody && body.isStarted)
      return completion.reject(body.alreadySent())
    const options: Dispatcher.DispatchOptions = {
      method: spec.method,
      path: requestTarget(prefix, path, query),
      headers: headersOf(call),
      body: body === undefined ? null : wireBody(body),
    }
    // No request follows a blocking request on its connection before the response headers have arrived.
    if (isPipelined && spec.safe && spec.method !== 'HEAD') {
      options.blocking = false
      // undici knows by the method only which requests may share a connection.
      options.idempotent = true
    }
    pool.dispatch(options, new Exchange(call, completion, pool, options))
  })
}

/**
 * Returns the target of a request.
 *
 * @param prefix - The base path of the origin.
 * @param path - The path and the query of the call.
 * @param query - The query of the credentials, encoded; empty without one.
 */
export function requestTarget(prefix: string, path: string, query: string): string {
  return query === '' ? prefix + path : `${prefix}${path}${path.includes('?') ? '&' : '?'}${query}`
}

/** The headers that are equal in all calls of an operation: names and values, alternating. */
interface FixedHeaders {
  readonly withBody: string[]
  /** Without `content-type`, because a server may refuse a type without a body. */
  readonly withoutBody: string[]
}

/** Returns the fixed headers of a request, with the headers that describe its body only. */
function fixedFor({ withBody, withoutBody }: FixedHeaders, body: RequestBody | undefined): string[] {
  if (body === undefined) return withoutBody
  const own = ownContentType(body)
  const headers = own === undefined ? withBody : [...withoutBody, 'content-type', own]
  if (!(body instanceof StreamBody) || body.length === undefined) return headers
  return [...headers, 'content-length', String(body.length)]
}

/** Returns a body as undici takes it. undici reads any iterable, and its types name fewer kinds. */
function wireBody(body: RequestBody): string | Uint8Array {
  if (typeof body === 'string') return body
  return contentOf(body) ?? (body as unknown as Uint8Array)
}

/** The parts of a call from which its headers are written. */
export type HeaderSource = Pick<LiveCall<unknown>, 'spec' | 'body' | 'idempotencyKey' | 'headers'> & {
  readonly scope: Pick<Scope, 'headers' | 'trace'>
  readonly attempt: Pick<Attempt, 'spanId'>
}

/**
 * Creates the function that lists the headers of a call: names and values, alternating. The fixed headers are listed
 * once per operation.
 */
export function requestHeaders(credentials = noCredentials): (call: HeaderSource) => string[] {
  let fixed = new WeakMap<OperationSpec, FixedHeaders>()
  let { headers: credentialHeaders } = credentials
  return ({ spec, body, idempotencyKey, scope, attempt, headers: given }) => {
    if (credentialHeaders !== credentials.headers) {
      credentialHeaders = credentials.headers
      fixed = new WeakMap()
    }
    let both = fixed.get(spec)
    if (both === undefined) fixed.set(spec, (both = fixedHeaders(spec, credentialHeaders)))
    const headers = fixedFor(both, body)
    const { forwardHeaders, traceContext } = spec.upstream
    const trace = traceContext ? scope.trace : undefined
    if (forwardHeaders.length === 0 && idempotencyKey === undefined && given === undefined)
      return trace === undefined ? headers : withTrace([...headers], trace, attempt.spanId)

    const own = new Map<string, string>()
    for (const name of forwardHeaders) {
      const value = headerOf(scope.headers, name)
      if (value !== undefined) own.set(name, value)
    }
    if (idempotencyKey !== undefined) own.set('idempotency-key', idempotencyKey)
    // The headers of this call override all other headers.
    if (given !== undefined) for (const name of Object.keys(given)) own.set(name, given[name] as string)
    const all = headers.filter((_, at) => !own.has((headers[at - (at % 2)] as string).toLowerCase()))
    for (const [name, value] of own) all.push(name, value)
    return trace === undefined || own.has('traceparent') ? all : withTrace(all, trace, attempt.spanId, own)
  }
}

/**
 * Adds the trace context of an attempt. A `tracestate` that a layer has set stays. A layer that sets `traceparent` has
 * decided about both.
 */
function withTrace(
  headers: string[],
  { traceId, flags, tracestate }: TraceContext,
  spanId = ids.spanId(),
  own?: ReadonlyMap<string, string>,
): string[] {
  headers.push('traceparent', writeTraceparent(traceId, spanId, flags))
  if (tracestate !== undefined && own?.has('tracestate') !== true) headers.push('tracestate', tracestate)
  return headers
}

function fixedHeaders(
  { upstream, accept, contentType }: OperationSpec,
  credentialHeaders: readonly string[],
): FixedHeaders {
  const own = [...Object.keys(upstream.headers), ...credentialHeaders].map(name => name.toLowerCase())
  const always = [
    ...(own.includes('accept') ? [] : ['accept', accept.join(', ')]),
    ...(upstream.decompress ? ['accept-encoding', 'gzip, br'] : []),
    ...(own.includes('user-agent') ? [] : ['user-agent', 'headwaters']),
    ...Object.entries(upstream.headers).flat(),
  ]
  return {
    withBody: [...always, ...(contentType === undefined ? [] : ['content-type', contentType]), ...credentialHeaders],
    withoutBody: [...always, ...credentialHeaders],
  }
}

/**
 * Returns the key of a call: two calls of one operation have the same key if they send the same request. The trace of a
 * request does not count, because it changes nothing about the answer.
 */
export function keyOf({ spec, path, body, idempotencyKey, scope, headers }: LiveCall<unknown>): string {
  const forwarded = spec.upstream.forwardHeaders.map(name => headerOf(scope.headers, name) ?? null)
  const given =
    headers === undefined
      ? []
      : Object.entries(headers)
          .filter(([name]) => !isTraceHeader(name))
          .sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([spec.name, path, bodyKey(body), idempotencyKey, ...forwarded, ...given])
}

/** Returns the names of the parts of the key of a call, in the order of the parts. */
export function keyPartNames({ spec, headers }: Pick<LiveCall<unknown>, 'spec' | 'headers'>): string[] {
  const given = Object.keys(headers ?? {}).filter(name => !isTraceHeader(name))
  const ofHeaders = [...spec.upstream.forwardHeaders, ...given.sort()]
  return ['operation', 'path and query', 'body', 'idempotency-key', ...ofHeaders.map(name => `header ${name}`)]
}
