import type { Dispatcher } from 'undici'
import type { LiveCall } from './call.ts'
import { Exchange } from './exchange.ts'
import type { Answer, Service } from './policies/layer.ts'
import type { OperationSpec } from './spec.ts'

/** Sends a call: one `pool.dispatch`, read whole under caps, judged once, parsed once. */
export function dispatch (pool: Dispatcher, prefix: string): Service {
  const headersOf = headerWriter()
  return <T>(call: LiveCall<T>) => new Promise<Answer<T>>((resolve, reject) => {
    if (call.abort.aborted) return reject(call.abort.reason)
    const { spec, path, body } = call
    pool.dispatch({
      method: spec.method,
      path: prefix + path,
      headers: headersOf(call),
      body: body ?? null,
    }, new Exchange(call, resolve, reject))
  })
}

/** Writes the headers of a call; those that are the same each time are written once an operation. */
function headerWriter (): (call: LiveCall<unknown>) => string[] {
  const fixed = new WeakMap<OperationSpec, string[]>()
  return ({ spec, idempotencyKey, scope, headers: given }) => {
    let headers = fixed.get(spec)
    if (headers === undefined) fixed.set(spec, headers = fixedHeaders(spec))
    const { forward } = spec.upstream
    if (forward.length === 0 && idempotencyKey === undefined && given === undefined) return headers

    const own: Record<string, string> = {}
    for (const name of forward) if (scope.headers[name] !== undefined) own[name] = scope.headers[name]
    if (idempotencyKey !== undefined) own['idempotency-key'] = idempotencyKey
    // Whoever gave them to this call knows best.
    if (given !== undefined) Object.assign(own, given)
    const all = headers.filter((_, at) => !((headers[at - at % 2] as string).toLowerCase() in own))
    for (const name of Object.keys(own)) all.push(name, own[name] as string)
    return all
  }
}

function fixedHeaders ({ upstream, accept, body }: OperationSpec): string[] {
  const own = Object.keys(upstream.headers).map(name => name.toLowerCase())
  return [
    ...own.includes('accept') ? [] : ['accept', accept.join(', ')],
    ...upstream.decompress ? ['accept-encoding', 'gzip, br'] : [],
    ...own.includes('user-agent') ? [] : ['user-agent', 'headwaters'],
    ...Object.entries(upstream.headers).flat(),
    ...body === undefined ? [] : ['content-type', 'application/json'],
  ]
}

/** What makes two calls of one operation equal: everything that goes out, every header and the idempotency key included. */
export function keyOf ({ spec, path, body, idempotencyKey, scope, headers }: LiveCall<unknown>): string {
  const forwarded = spec.upstream.forward.map(name => scope.headers[name] ?? null)
  const given = headers === undefined ? [] : Object.entries(headers).sort(([a], [b]) => a < b ? -1 : 1)
  return JSON.stringify([spec.name, path, body, idempotencyKey, ...forwarded, ...given])
}
