import type { Dispatcher } from 'undici'
import type { LiveCall } from '../call/call.ts'
import type { Credentials } from '../auth/credentials.ts'
import { Exchange } from './exchange.ts'
import { headerOf } from '../../core/header-name.ts'
import { serviceOf, type Service } from '../policies/layer.ts'
import type { Pool } from './pool.ts'
import type { OperationSpec } from '../spec/spec.ts'

const noCredentials: Credentials = { headers: [], query: '' }

/** Sends a call: one `pool.dispatch`, read whole under caps, judged once, parsed once. */
export function dispatch(
  pool: Pick<Pool, 'dispatch'>,
  prefix: string,
  credentials = noCredentials,
  isPipelined = false,
): Service {
  const headersOf = headerWriter(credentials)
  const { query } = credentials
  return serviceOf((call, taker) => {
    if (call.abort.aborted) return taker.reject(call.abort.reason)
    const { spec, path, body } = call
    const options: Dispatcher.DispatchOptions = {
      method: spec.method,
      path: query === '' ? prefix + path : `${prefix}${path}${path.includes('?') ? '&' : '?'}${query}`,
      headers: headersOf(call),
      body: body ?? null,
    }
    // A connection that blocks waits for the head of an answer before it takes the next call.
    if (isPipelined && spec.safe && spec.method !== 'HEAD') options.blocking = false
    pool.dispatch(options, new Exchange(call, taker, pool, options))
  })
}

/** Writes the headers of a call; those that are the same each time are written once an operation. */
function headerWriter(credentials: Credentials): (call: LiveCall<unknown>) => string[] {
  let fixed = new WeakMap<OperationSpec, string[]>()
  let { headers: signed } = credentials
  return ({ spec, idempotencyKey, scope, headers: given }) => {
    if (signed !== credentials.headers) {
      signed = credentials.headers
      fixed = new WeakMap()
    }
    let headers = fixed.get(spec)
    if (headers === undefined) fixed.set(spec, (headers = fixedHeaders(spec, signed)))
    const { forwardHeaders } = spec.upstream
    if (forwardHeaders.length === 0 && idempotencyKey === undefined && given === undefined) return headers

    const own = new Map<string, string>()
    for (const name of forwardHeaders) {
      const value = headerOf(scope.headers, name)
      if (value !== undefined) own.set(name, value)
    }
    if (idempotencyKey !== undefined) own.set('idempotency-key', idempotencyKey)
    // Whoever gave them to this call knows best.
    if (given !== undefined) for (const name of Object.keys(given)) own.set(name, given[name] as string)
    const all = headers.filter((_, at) => !own.has((headers[at - (at % 2)] as string).toLowerCase()))
    for (const [name, value] of own) all.push(name, value)
    return all
  }
}

function fixedHeaders({ upstream, accept, body }: OperationSpec, signed: readonly string[]): string[] {
  const own = [...Object.keys(upstream.headers), ...signed].map(name => name.toLowerCase())
  return [
    ...(own.includes('accept') ? [] : ['accept', accept.join(', ')]),
    ...(upstream.decompress ? ['accept-encoding', 'gzip, br'] : []),
    ...(own.includes('user-agent') ? [] : ['user-agent', 'headwaters']),
    ...Object.entries(upstream.headers).flat(),
    ...(body === undefined ? [] : ['content-type', 'application/json']),
    ...signed,
  ]
}

/**
 * What makes two calls of one operation equal: everything that goes out, every header and the idempotency key included.
 */
export function keyOf({ spec, path, body, idempotencyKey, scope, headers }: LiveCall<unknown>): string {
  const forwarded = spec.upstream.forwardHeaders.map(name => headerOf(scope.headers, name) ?? null)
  const given = headers === undefined ? [] : Object.entries(headers).sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([spec.name, path, body, idempotencyKey, ...forwarded, ...given])
}
