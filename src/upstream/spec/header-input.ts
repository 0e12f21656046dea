import { z } from 'zod'
import { checkHeaderName, checkSpelling, isTraceHeader } from '../../core/headers.ts'
import { checkWritten } from '../../core/schema/check-written.ts'
import { writtenNames } from '../../core/schema/written-names.ts'
import type { AuthOptions } from './access-options.ts'
import type { MethodFacts } from './check-method.ts'
import type { AnyOperationOptions } from './operation-options.ts'

/** The headers that an operation takes as input. */
export interface HeaderInput {
  readonly schema: z.ZodType
  /** The names in lower case, by the spelling of the schema. */
  readonly names: ReadonlyMap<string, string>
}

/** Headers that ask for a part of a response (RFC 9110, sections 13.1.5 and 14.2). */
const partial = new Set(['range', 'if-range'])

/** Headers that make a request conditional (RFC 9110, section 13.1). The response to a safe one may have no body. */
const conditional = new Set(['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since'])

/**
 * Checks the schema of the headers that an operation takes as input. Throws a `TypeError` that names the header and the
 * fix.
 */
export function headerInput(
  owner: string,
  { headers, params, query }: AnyOperationOptions,
  { method, safe }: Pick<MethodFacts, 'method' | 'safe'>,
  auth: AuthOptions | undefined,
): HeaderInput | undefined {
  if (headers === undefined) return undefined
  const where = `${owner}, headers`
  checkWritten(where, 'headers', headers)
  const names = [...writtenNames(where, headers)]
  checkSpelling(where, names)
  for (const name of names) {
    checkHeaderName(where, name)
    const fault = faultOf(name.toLowerCase(), method, safe, authHeader(auth))
    if (fault !== undefined) throw new TypeError(`${where}: the header '${name}' ${fault}`)
  }
  for (const [part, schema] of Object.entries({ params, query }))
    if (schema instanceof z.ZodObject && 'headers' in schema.shape)
      throw new TypeError(`${owner}: 'headers' is a field of ${part}, and an input has its headers there: rename it`)
  return {
    schema: headers,
    names: new Map(names.map(name => [name, name.toLowerCase()])),
  }
}

/** Returns the name of the header of the credentials, in lower case; `undefined` without one. */
function authHeader(auth: AuthOptions | undefined): string | undefined {
  if (auth === undefined || 'query' in auth) return undefined
  return 'header' in auth ? auth.header.toLowerCase() : 'authorization'
}

/** Returns why calls cannot have a header as their input, with the fix; `undefined` if they can. */
function faultOf(name: string, method: string, safe: boolean, authorized: string | undefined): string | undefined {
  // Schemas drop a field of this name, and an assignment to it sets the prototype.
  if (name === '__proto__') return 'cannot be sent: rename it'
  if (name === authorized) return "is sent by the upstream's auth: remove one of them"
  if (name === 'set-cookie') return 'is a response header: remove it'
  if (name === 'idempotency-key') return 'is sent by idempotencyKey, which also allows retries: set that option instead'
  if (isTraceHeader(name)) return 'names the span of one attempt: remove it, and set traceContext: true of the upstream'
  if (partial.has(name)) return 'requests a partial response, and a call needs the complete response: remove it'
  if (safe && conditional.has(name))
    return `makes a ${method} conditional, and a call needs the complete response: remove it, or set cache`
  return undefined
}
