import { checkFunction, checkTextOption } from '../../core/option-values.ts'
import type { AnyOperationOptions } from './operation-options.ts'
import { safeMethods } from './spec.ts'

/** The properties of an operation that follow from its method. */
export interface MethodFacts {
  readonly method: string
  /** True if a call changes nothing at the upstream. */
  readonly safe: boolean
  /** True if a repeated call has the effect of one. */
  readonly idempotent: boolean
}

const idempotentMethods = new Set([...safeMethods, 'PUT', 'DELETE'])
const methods = new Set([...safeMethods, 'POST', 'PUT', 'PATCH', 'DELETE'])

/** Checks the method of an operation, and the options that only some methods allow. */
export function checkMethod(name: string, options: AnyOperationOptions): MethodFacts {
  const { method = 'GET', body, coalesce = false, cache = false, idempotencyKey } = options
  checkTextOption(name, 'method', method, "'GET'")
  if (!methods.has(method))
    throw new TypeError(`${name}: method must be one of ${[...methods].join(', ')}, got '${method}'`)
  const safe = safeMethods.has(method)
  if (body !== undefined && safe) throw new TypeError(`${name}: a ${method} has no body: declare its input as query`)
  if (coalesce && !safe)
    throw new TypeError(
      `${name}: a ${method} has an effect each time, so equal calls cannot share a response: remove coalesce`,
    )
  if (cache !== false && method !== 'GET' && method !== 'HEAD')
    throw new TypeError(`${name}: the response to a ${method} cannot be cached: remove cache`)
  if (idempotencyKey !== undefined) {
    checkFunction(name, 'idempotencyKey', idempotencyKey, '({ body }) => body.id')
    if (safe) throw new TypeError(`${name}: a ${method} is always idempotent: remove idempotencyKey`)
  }
  return { method, safe, idempotent: idempotentMethods.has(method) }
}
