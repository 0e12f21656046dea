import { z } from 'zod'
import { checkAccess, checkQueryAuth, type AccessSpec } from './access-spec.ts'
import { wholeNumber } from '../../core/bounds.ts'
import { cachePolicy, type CachePolicy } from './cache-policy.ts'
import { checkText } from '../../core/schema/check-text.ts'
import { isOpen } from '../../core/schema/depth.ts'
import { headerFields, type HeaderFields } from '../../core/schema/header-fields.ts'
import { checkHeaderName, checkSpelling, forwardFault } from '../../core/header-name.ts'
import { refuseUnknown, type Known } from '../../core/option-keys.ts'
import type { AnyOperationOptions, As, UpstreamOptions } from './options.ts'
import { originFault } from './origin.ts'
import { checkPolicies, type PoliciesSpec } from './policies-spec.ts'
import { parseTemplate, type Template } from './template.ts'
import { textSchema } from '../../core/schema/text-schema.ts'
import { checkUses } from './layers.ts'
import { checkZod } from '../../core/schema/wrapped.ts'

/** What one upstream is: the declaration, checked, with its defaults filled in. */
export interface UpstreamSpec extends Required<Omit<UpstreamOptions, 'deadline' | keyof PoliciesSpec | keyof AccessSpec>>, PoliciesSpec, AccessSpec {
  readonly name: string
  readonly deadline: number | undefined
  /** Slots to begin with where they are adaptive. @default 20 */
  readonly startSlots?: number
  /** Whether some operation lets equal calls share an answer. */
  readonly coalesces: boolean
  /** Whether some operation keeps answers. */
  readonly caches: boolean
}

/** What one operation is: the declaration, checked and bound to its upstream. */
export interface OperationSpec {
  readonly upstream: UpstreamSpec
  /** With its upstream: `catfact-ninja.fact`. */
  readonly name: string
  readonly method: string
  /** Whether the method changes nothing at the upstream (RFC 9110, section 9.2.1). */
  readonly safe: boolean
  /** Whether asking twice does no more than asking once, by the method (RFC 9110, section 9.2.2). */
  readonly idempotent: boolean
  readonly template: Template
  readonly params: z.ZodType | undefined
  readonly query: z.ZodType | undefined
  readonly body: z.ZodType | undefined
  readonly output: z.ZodType
  /** Whether the output lets values of any depth through, which are then measured. */
  readonly isOpen: boolean
  readonly as: As
  readonly accept: readonly string[]
  readonly empty: boolean
  readonly absent: readonly number[]
  readonly withHeaders: z.ZodType | undefined
  /** The headers that `withHeaders` reads. */
  readonly headerFields: HeaderFields | undefined
  readonly coalesce: boolean
  /** How answers are kept; none when they are not. */
  readonly cache: CachePolicy | undefined
  readonly idempotencyKey: ((input: never) => string) | undefined
}

const upstreamOptions: Known<UpstreamOptions> = {
  origin: true, slots: true, connections: true, queue: true, retry: true, hedge: true, budget: true, breaker: true, timeout: true, deadline: true,
  connectTimeout: true, maxBytes: true, maxValues: true, cacheBytes: true, forward: true, headers: true, decompress: true, use: true, trusted: true,
  public: true, auth: true, tls: true, proxy: true,
}
const operationOptions: Known<AnyOperationOptions> = {
  method: true, path: true, params: true, query: true, body: true, output: true, as: true, accept: true, empty: true, absent: true,
  withHeaders: true, coalesce: true, cache: true, idempotencyKey: true,
}

/**
 * Default number of connections beyond one per slot. A connection whose answer has just ended is polled before it is used again, and a spare
 * one is ready meanwhile (`npm run bench:wire -- --only spare` compares other numbers).
 */
export const spareConnections = 16

/** Sockets at most where the slots are adaptive and nothing else is said: the most that Netflix's limits take. */
export const adaptiveConnections = 200

const upstreamName = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/
const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/

/** Checks an upstream's declaration and fills its defaults in. */
export function upstreamSpec (name: string, options: UpstreamOptions, operations: readonly (Pick<AnyOperationOptions, 'coalesce' | 'cache'> | undefined)[]): UpstreamSpec {
  if (!upstreamName.test(name)) throw new TypeError(`the upstream '${name}' needs a name in lower case with hyphens, for example 'cat-facts'`)
  const owner = `upstream '${name}'`
  refuseUnknown(owner, options, upstreamOptions)
  const {
    slots = 64, connections = slots === 'adaptive' ? adaptiveConnections : slots + spareConnections, queue = 256, timeout = 1000, deadline, connectTimeout = 1000,
    maxBytes = 5 * 1024 * 1024, maxValues = 100_000, forward = [], headers = {}, decompress = true,
    cacheBytes = 32 * 1024 * 1024,
  } = options

  if (slots !== 'adaptive') wholeNumber(owner, 'slots', slots)
  wholeNumber(owner, 'connections', connections)
  if (slots !== 'adaptive' && slots > connections) {
    throw new TypeError(`${owner}: ${slots} slots above ${connections} connections: a call with a slot would wait for a connection: raise connections or lower slots`)
  }
  wholeNumber(owner, 'queue', queue, { min: 0 })
  wholeNumber(owner, 'timeout', timeout, { unit: 'ms' })
  wholeNumber(owner, 'connectTimeout', connectTimeout, { unit: 'ms' })
  if (deadline !== undefined) wholeNumber(owner, 'deadline', deadline, { unit: 'ms' })
  wholeNumber(owner, 'maxBytes', maxBytes)
  wholeNumber(owner, 'maxValues', maxValues)
  wholeNumber(owner, 'cacheBytes', cacheBytes)
  for (const header of forward) checkForwarded(owner, header)
  checkSpelling(owner, Object.keys(headers))
  for (const [header, value] of Object.entries(headers)) checkHeader(owner, header, value)

  return Object.freeze({
    coalesces: operations.some(each => each?.coalesce || each?.cache), caches: operations.some(each => each?.cache), cacheBytes,
    name, ...checkPolicies(owner, options), origin: checkOrigin(owner, options.origin), slots, connections, queue, timeout, deadline, connectTimeout, maxBytes, maxValues,
    forward: Object.freeze([...new Set(forward.map(header => header.toLowerCase()))]), headers: Object.freeze({ ...headers }), decompress,
    use: checkUses(owner, options.use ?? []),
    ...checkAccess(owner, options),
  })
}

/** Refuses a header that nobody may set, or that none may hold, with a `TypeError` that names its owner. */
export function checkHeader (owner: string, header: string, value: string): void {
  checkHeaderName(owner, header)
  if (!headerValue.test(value)) throw new TypeError(`${owner}: the header '${header}' holds characters that no header may hold`)
}

function checkForwarded (owner: string, header: string): void {
  checkHeaderName(owner, header)
  const fault = forwardFault(header)
  if (fault !== undefined) throw new TypeError(`${owner}: the header '${header}' cannot be forwarded, since it ${fault}: leave it out of forward`)
}

function checkOrigin (owner: string, origin: string): string {
  const fault = originFault(origin, false)
  if (fault !== undefined) throw new TypeError(`${owner}: ${fault}`)
  return new URL(origin).origin
}

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS'])
const idempotentMethods = new Set([...safeMethods, 'PUT', 'DELETE'])
const methods = new Set([...safeMethods, 'POST', 'PUT', 'PATCH', 'DELETE'])
const acceptDefaults = { json: ['application/json', 'application/*+json', 'text/json'], text: ['text/*'], bytes: ['*/*'] } as const

/** Checks an operation's declaration and fills its defaults in. */
export function operationSpec (upstream: UpstreamSpec, key: string, options: AnyOperationOptions): OperationSpec {
  const name = `${upstream.name}.${key}`
  const {
    method = 'GET', path, params, query, body, output, as = 'json', accept = acceptDefaults[as], empty = false, absent = [],
    withHeaders, coalesce = false, cache = false, idempotencyKey,
  } = options
  const safe = safeMethods.has(method)
  refuseUnknown(name, options, operationOptions)
  checkZod(name, { params, query, body, output, withHeaders })

  if (!methods.has(method)) throw new TypeError(`${name}: '${method}' is not a method that can be called`)
  if (body !== undefined && safe) throw new TypeError(`${name}: a ${method} has no body: declare its input as query`)
  if (coalesce && !safe) throw new TypeError(`${name}: a ${method} changes something each time, so equal calls cannot share an answer: leave coalesce out`)
  if (cache !== false && method !== 'GET' && method !== 'HEAD') throw new TypeError(`${name}: the answer to a ${method} cannot be kept: leave cache out`)
  if (idempotencyKey !== undefined && safe) throw new TypeError(`${name}: a ${method} is idempotent by itself: leave idempotencyKey out`)
  if (params instanceof z.ZodObject && query instanceof z.ZodObject) {
    const twice = Object.keys(params.shape).find(field => field in query.shape)
    if (twice !== undefined) throw new TypeError(`${name}: '${twice}' is in params and in query, and an input can give it once: rename one`)
  }
  checkQueryAuth(name, upstream.auth, query)
  const fields = withHeaders && headerFields(`${name}, withHeaders`, withHeaders)
  if (fields?.spelled.has('set-cookie')) throw new TypeError(`${name}: cookies are no part of an answer: leave set-cookie out of withHeaders`)
  checkText(`${name}, withHeaders`, withHeaders)
  for (const status of absent) {
    if (!Number.isInteger(status) || status < 400 || status > 499) throw new TypeError(`${name}: absent takes statuses from 400 to 499, not ${status}`)
  }
  return {
    upstream, name, method, safe, idempotent: idempotentMethods.has(method), template: parseTemplate(path, name), params, query, body, output, isOpen: isOpen(output), as, accept, empty, absent,
    withHeaders: withHeaders && textSchema(withHeaders), headerFields: fields, coalesce: coalesce || cache !== false, cache: cachePolicy(name, cache), idempotencyKey,
  }
}
