import { checkBoolean, checkFunction, checkTextOption } from '../../core/option-values.ts'
import type { AnyOperationOptions } from './operation-options.ts'

/** The properties of an operation that follow from its method and from `safe`. */
export interface MethodFacts {
  readonly method: string
  /** True if a call changes nothing at the upstream. */
  readonly safe: boolean
  /** True if a repeated call has the effect of one. */
  readonly idempotent: boolean
}

/** Methods whose requests have no body (RFC 9110, section 9.3). */
const bodylessMethods: ReadonlySet<unknown> = new Set(['GET', 'HEAD', 'OPTIONS'])
/** Methods that change nothing at an upstream (RFC 9110, section 9.2.1; RFC 10008). */
const safeMethods: ReadonlySet<unknown> = new Set([...bodylessMethods, 'QUERY'])
const idempotentMethods: ReadonlySet<unknown> = new Set([...safeMethods, 'PUT', 'DELETE'])
const methods = ['GET', 'HEAD', 'OPTIONS', 'QUERY', 'POST', 'PUT', 'PATCH', 'DELETE']

/** Returns whether the calls of an operation change nothing at the upstream: by its method, or by its declaration. */
export function isSafe({ method = 'GET', safe = false }: Pick<AnyOperationOptions, 'method' | 'safe'>): boolean {
  return safe || safeMethods.has(method)
}

/** Checks the method of an operation, and the options that only some methods allow. */
export function checkMethod(name: string, options: AnyOperationOptions): MethodFacts {
  const { method = 'GET', body } = options
  checkTextOption(name, 'method', method, "'GET'")
  if (!methods.includes(method))
    throw new TypeError(`${name}: method must be one of ${methods.join(', ')}, got '${method}'`)
  checkSafe(name, method, options.safe)
  if (body !== undefined && bodylessMethods.has(method))
    throw new TypeError(`${name}: a ${method} has no body: declare its input as query, or set method: 'QUERY'`)
  if (body === undefined && method === 'QUERY')
    throw new TypeError(`${name}: a QUERY has its question in the body: declare its input as body, or use GET`)
  const safe = isSafe(options)
  checkSharing(name, method, safe, options)
  checkKey(name, method, safe, options)
  return { method, safe, idempotent: safe || idempotentMethods.has(method) }
}

function checkSafe(name: string, method: string, safe: boolean | undefined): void {
  if (safe === undefined) return
  checkBoolean(name, 'safe', safe)
  if (safeMethods.has(method)) throw new TypeError(`${name}: a ${method} is always safe: remove safe`)
  if (safe && method !== 'POST')
    throw new TypeError(`${name}: safe: true requires the method POST, because a ${method} changes its resource`)
}

/** Refuses an operation that shares answers between calls, and whose answers cannot be shared. */
function checkSharing(
  name: string,
  method: string,
  safe: boolean,
  { coalesce = false, cache = false }: AnyOperationOptions,
): void {
  const orSafe = method === 'POST' ? ', or set safe: true if it only reads' : ''
  if (coalesce && !safe)
    throw new TypeError(
      `${name}: a ${method} has an effect each time, so equal calls cannot share a response: remove coalesce${orSafe}`,
    )
  if (cache !== false && (!safe || method === 'OPTIONS'))
    throw new TypeError(`${name}: the response to a ${method} cannot be cached: remove cache${orSafe}`)
}

function checkKey(name: string, method: string, safe: boolean, { idempotencyKey }: AnyOperationOptions): void {
  if (idempotencyKey === undefined) return
  checkFunction(name, 'idempotencyKey', idempotencyKey, '({ body }) => body.id')
  if (safe)
    throw new TypeError(
      `${name}: a ${method}${method === 'POST' ? ' with safe: true' : ''} is always idempotent: remove idempotencyKey`,
    )
}
