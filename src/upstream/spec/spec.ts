import { z } from 'zod'
import { checkAccess, checkQueryAuth, type AccessSpec } from './access-spec.ts'
import { wholeNumber } from '../../core/bounds.ts'
import { cachePolicy, type CachePolicy } from './cache-policy.ts'
import { checkText } from '../../core/schema/check-text.ts'
import { isOpen } from '../../core/schema/depth.ts'
import { headerFields, type HeaderFields } from '../../core/schema/header-fields.ts'
import { checkHeaderName, checkSpelling, forwardFault } from '../../core/headers.ts'
import { rejectUnknownOptions, type OptionKeys } from '../../core/option-keys.ts'
import type { AnyOperationOptions, ResponseType, UpstreamOptions } from './options.ts'
import { originFault } from './origin.ts'
import { checkPolicies, type PoliciesSpec } from './policies-spec.ts'
import { parseTemplate, type Template } from './template.ts'
import { textSchema } from '../../core/schema/text-schema.ts'
import { checkLayers, type Layers } from './layers.ts'
import { checkZod } from '../../core/schema/wrapped.ts'

/** What one upstream is: the declaration, checked, with its defaults filled in. */
export interface UpstreamSpec
  extends
    Required<Omit<UpstreamOptions, 'totalTimeout' | keyof PoliciesSpec | keyof AccessSpec>>,
    PoliciesSpec,
    AccessSpec {
  readonly name: string
  readonly totalTimeout: number | undefined
  readonly layers: Required<Layers>
  /** Slots to begin with where they are adaptive. @default 20 */
  readonly initialConcurrency?: number
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
  readonly responseType: ResponseType
  readonly accept: readonly string[]
  readonly allowEmpty: boolean
  readonly nullOn: readonly number[]
  readonly responseHeaders: z.ZodType | undefined
  /** The headers that `withHeaders` reads. */
  readonly headerFields: HeaderFields | undefined
  readonly coalesce: boolean
  /** How answers are kept; none when they are not. */
  readonly cache: CachePolicy | undefined
  readonly idempotencyKey: ((input: never) => string) | undefined
}

const upstreamOptions: OptionKeys<UpstreamOptions> = {
  origin: true,
  concurrency: true,
  connections: true,
  maxQueue: true,
  retry: true,
  hedge: true,
  retryBudget: true,
  breaker: true,
  attemptTimeout: true,
  totalTimeout: true,
  connectTimeout: true,
  maxResponseBytes: true,
  maxJsonValues: true,
  maxCacheBytes: true,
  forwardHeaders: true,
  headers: true,
  decompress: true,
  layers: true,
  pipelining: true,
  publicOnly: true,
  auth: true,
  tls: true,
  proxy: true,
}
const operationOptions: OptionKeys<AnyOperationOptions> = {
  method: true,
  path: true,
  params: true,
  query: true,
  body: true,
  output: true,
  responseType: true,
  accept: true,
  allowEmpty: true,
  nullOn: true,
  responseHeaders: true,
  coalesce: true,
  cache: true,
  idempotencyKey: true,
}

/**
 * Default number of connections beyond one per slot. A connection whose answer has just ended is polled before it is
 * used again, and a spare one is ready meanwhile (`npm run bench:wire -- --only spare` compares other numbers).
 */
export const spareConnections = 16

/** Sockets at most where the slots are adaptive and nothing else is said: the most that Netflix's limits take. */
export const maxAdaptiveConnections = 200

const upstreamName = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/
const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/

/** Checks an upstream's declaration and fills its defaults in. */
export function upstreamSpec(
  name: string,
  options: UpstreamOptions,
  operations: readonly (Pick<AnyOperationOptions, 'coalesce' | 'cache'> | undefined)[],
): UpstreamSpec {
  if (!upstreamName.test(name))
    throw new TypeError(`the upstream '${name}' needs a name in lower case with hyphens, for example 'cat-facts'`)
  const owner = `upstream '${name}'`
  rejectUnknownOptions(owner, options, upstreamOptions)
  const {
    concurrency = 64,
    connections = concurrency === 'adaptive' ? maxAdaptiveConnections : concurrency + spareConnections,
    maxQueue = 256,
    attemptTimeout = 1000,
    totalTimeout,
    connectTimeout = 1000,
    maxResponseBytes = 5 * 1024 * 1024,
    maxJsonValues = 100_000,
    maxCacheBytes = 32 * 1024 * 1024,
    forwardHeaders = [],
    headers = {},
    decompress = true,
  } = options

  if (concurrency !== 'adaptive') wholeNumber(owner, 'concurrency', concurrency)
  wholeNumber(owner, 'connections', connections)
  if (concurrency !== 'adaptive' && concurrency > connections) {
    throw new TypeError(
      `${owner}: concurrency is ${concurrency}, above ${connections} connections: a call with a permit would wait for a connection: raise connections or lower concurrency`,
    )
  }
  wholeNumber(owner, 'maxQueue', maxQueue, { min: 0 })
  wholeNumber(owner, 'attemptTimeout', attemptTimeout, { unit: 'ms' })
  wholeNumber(owner, 'connectTimeout', connectTimeout, { unit: 'ms' })
  if (totalTimeout !== undefined) wholeNumber(owner, 'totalTimeout', totalTimeout, { unit: 'ms' })
  wholeNumber(owner, 'maxResponseBytes', maxResponseBytes)
  wholeNumber(owner, 'maxJsonValues', maxJsonValues)
  wholeNumber(owner, 'maxCacheBytes', maxCacheBytes)
  for (const header of forwardHeaders) checkForwarded(owner, header)
  checkSpelling(owner, Object.keys(headers))
  for (const [header, value] of Object.entries(headers)) checkHeader(owner, header, value)

  return Object.freeze({
    coalesces: operations.some(each => each?.coalesce || each?.cache),
    caches: operations.some(each => each?.cache),
    maxCacheBytes,
    name,
    ...checkPolicies(owner, options),
    origin: checkOrigin(owner, options.origin),
    concurrency,
    connections,
    maxQueue,
    attemptTimeout,
    totalTimeout,
    connectTimeout,
    maxResponseBytes,
    maxJsonValues,
    forwardHeaders: Object.freeze([...new Set(forwardHeaders.map(header => header.toLowerCase()))]),
    headers: Object.freeze({ ...headers }),
    decompress,
    layers: checkLayers(owner, options.layers ?? {}),
    ...checkAccess(owner, options),
  })
}

/** Refuses a header that nobody may set, or that none may hold, with a `TypeError` that names its owner. */
export function checkHeader(owner: string, header: string, value: string): void {
  checkHeaderName(owner, header)
  if (!headerValue.test(value))
    throw new TypeError(`${owner}: the header '${header}' holds characters that no header may hold`)
}

function checkForwarded(owner: string, header: string): void {
  checkHeaderName(owner, header)
  const fault = forwardFault(header)
  if (fault !== undefined)
    throw new TypeError(
      `${owner}: the header '${header}' cannot be forwarded, since it ${fault}: leave it out of forward`,
    )
}

function checkOrigin(owner: string, origin: string): string {
  const fault = originFault(origin, false)
  if (fault !== undefined) throw new TypeError(`${owner}: ${fault}`)
  return new URL(origin).origin
}

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS'])
const idempotentMethods = new Set([...safeMethods, 'PUT', 'DELETE'])
const methods = new Set([...safeMethods, 'POST', 'PUT', 'PATCH', 'DELETE'])
const acceptDefaults = {
  json: ['application/json', 'application/*+json', 'text/json'],
  text: ['text/*'],
  bytes: ['*/*'],
} as const

/** Checks an operation's declaration and fills its defaults in. */
export function operationSpec(upstream: UpstreamSpec, key: string, options: AnyOperationOptions): OperationSpec {
  const name = `${upstream.name}.${key}`
  const {
    method = 'GET',
    path,
    params,
    query,
    body,
    output,
    responseType = 'json',
    accept = acceptDefaults[responseType],
    allowEmpty = false,
    nullOn = [],
    responseHeaders,
    coalesce = false,
    cache = false,
    idempotencyKey,
  } = options
  const safe = safeMethods.has(method)
  rejectUnknownOptions(name, options, operationOptions)
  checkZod(name, { params, query, body, output, withHeaders: responseHeaders })

  if (!methods.has(method)) throw new TypeError(`${name}: '${method}' is not a method that can be called`)
  if (body !== undefined && safe) throw new TypeError(`${name}: a ${method} has no body: declare its input as query`)
  if (coalesce && !safe)
    throw new TypeError(
      `${name}: a ${method} changes something each time, so equal calls cannot share an answer: leave coalesce out`,
    )
  if (cache !== false && method !== 'GET' && method !== 'HEAD')
    throw new TypeError(`${name}: the answer to a ${method} cannot be kept: leave cache out`)
  if (idempotencyKey !== undefined && safe)
    throw new TypeError(`${name}: a ${method} is idempotent by itself: leave idempotencyKey out`)
  if (params instanceof z.ZodObject && query instanceof z.ZodObject) {
    const twice = Object.keys(params.shape).find(field => field in query.shape)
    if (twice !== undefined)
      throw new TypeError(`${name}: '${twice}' is in params and in query, and an input can give it once: rename one`)
  }
  checkQueryAuth(name, upstream.auth, query)
  const fields = responseHeaders && headerFields(`${name}, responseHeaders`, responseHeaders)
  if (fields?.spelled.has('set-cookie'))
    throw new TypeError(`${name}: cookies are no part of an answer: leave set-cookie out of responseHeaders`)
  checkText(`${name}, responseHeaders`, responseHeaders)
  for (const status of nullOn) {
    if (!Number.isInteger(status) || status < 400 || status > 499)
      throw new TypeError(`${name}: nullOn takes statuses from 400 to 499, not ${status}`)
  }
  return {
    upstream,
    name,
    method,
    safe,
    idempotent: idempotentMethods.has(method),
    template: parseTemplate(path, name),
    params,
    query,
    body,
    output,
    isOpen: isOpen(output),
    responseType,
    accept,
    allowEmpty,
    nullOn,
    responseHeaders: responseHeaders && textSchema(responseHeaders),
    headerFields: fields,
    coalesce: coalesce || cache !== false,
    cache: cachePolicy(name, cache),
    idempotencyKey,
  }
}
