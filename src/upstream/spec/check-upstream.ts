import { wholeNumber } from '../../core/bounds.ts'
import { withDeclared } from '../../core/declared-options.ts'
import { checkSpelling } from '../../core/headers.ts'
import { rejectUnknownOptions, type OptionKeys } from '../../core/option-keys.ts'
import { checkBoolean, checkObject, checkTextList, checkTextOption } from '../../core/option-values.ts'
import { checkAccess } from './access-spec.ts'
import { balanceSpec, defaultBalance } from './balance-spec.ts'
import { checkFixedHeader, checkForwarded } from './check-headers.ts'
import { isSafe } from './check-method.ts'
import { checkLayers } from './layers.ts'
import type { AnyOperationOptions } from './operation-options.ts'
import type { UpstreamOptions } from './options.ts'
import { originFault, originText } from './origin.ts'
import { declaredOrigins, isDiscovered, originSpecs, type UpstreamOrigins } from './origins-spec.ts'
import { checkPolicies } from './policies-spec.ts'
import { upstreamRenames } from './renamed.ts'
import type { UpstreamSpec } from './spec.ts'

const upstreamOptions: OptionKeys<UpstreamOptions> = {
  origin: true,
  origins: true,
  balance: true,
  concurrency: true,
  divideConcurrency: true,
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
  maxResponseHeaderBytes: true,
  maxRequestBytes: true,
  maxJsonValues: true,
  maxCacheBytes: true,
  forwardHeaders: true,
  traceContext: true,
  headers: true,
  decompress: true,
  redirects: true,
  layers: true,
  pipelining: true,
  publicOnly: true,
  auth: true,
  tls: true,
  proxy: true,
}

/**
 * The default number of spare connections, in addition to one per permit. A connection whose response has just ended is
 * polled before it is used again. A spare connection is used meanwhile. `npm run bench:wire -- --only spare` compares
 * other numbers.
 */
export const spareConnections = 16

/** The default of `connections` for an adaptive concurrency: the upper limit in Netflix's concurrency-limits. */
export const maxAdaptiveConnections = 200

/** The largest value of `redirects`. */
const maxRedirects = 10

const example = "'https://catfact.ninja'"

const upstreamName = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/

/** Checks the declaration of an upstream and adds its defaults. */
export function upstreamSpec(
  name: string,
  options: UpstreamOptions,
  operations: readonly (
    | Pick<AnyOperationOptions, 'bodyType' | 'coalesce' | 'cache' | 'keyBatch' | 'method' | 'responses' | 'safe'>
    | undefined
  )[],
): UpstreamSpec {
  if (typeof name !== 'string' || !upstreamName.test(name))
    throw new TypeError(`the upstream '${name}' needs a name in lower case with hyphens, for example 'cat-facts'`)
  const owner = `upstream '${name}'`
  rejectUnknownOptions(owner, options, upstreamOptions, { renamed: upstreamRenames })
  const {
    concurrency = 64,
    divideConcurrency = false,
    connections = concurrency === 'adaptive' ? maxAdaptiveConnections : concurrency + spareConnections,
    maxQueue = 2048,
    attemptTimeout = 1000,
    totalTimeout,
    connectTimeout = 1000,
    maxResponseBytes = 5 * 1024 * 1024,
    maxResponseHeaderBytes = 16 * 1024,
    maxRequestBytes = 5 * 1024 * 1024,
    maxJsonValues = 100_000,
    maxCacheBytes = 32 * 1024 * 1024,
    forwardHeaders = [],
    traceContext = false,
    headers = {},
    decompress = true,
    redirects = 0,
    layers = {},
  } = options

  if (concurrency !== 'adaptive') wholeNumber(owner, 'concurrency', concurrency)
  wholeNumber(owner, 'connections', connections)
  if (concurrency !== 'adaptive' && concurrency > connections) {
    throw new TypeError(
      `${owner}: concurrency is ${concurrency}, above ${connections} connections: a call with a permit ` +
        'would wait for a connection: raise connections or lower concurrency',
    )
  }
  checkBoolean(owner, 'divideConcurrency', divideConcurrency)
  if (divideConcurrency && concurrency === 'adaptive') {
    throw new TypeError(
      `${owner}: divideConcurrency excludes concurrency: 'adaptive', which finds the share of each replica by ` +
        'itself: leave out one of them',
    )
  }
  wholeNumber(owner, 'maxQueue', maxQueue, { min: 0 })
  wholeNumber(owner, 'attemptTimeout', attemptTimeout, { unit: 'ms' })
  wholeNumber(owner, 'connectTimeout', connectTimeout, { unit: 'ms' })
  if (totalTimeout !== undefined) wholeNumber(owner, 'totalTimeout', totalTimeout, { unit: 'ms' })
  wholeNumber(owner, 'maxResponseBytes', maxResponseBytes)
  wholeNumber(owner, 'maxResponseHeaderBytes', maxResponseHeaderBytes, { min: 1024, max: 2 ** 20 })
  wholeNumber(owner, 'maxRequestBytes', maxRequestBytes)
  wholeNumber(owner, 'maxJsonValues', maxJsonValues)
  wholeNumber(owner, 'maxCacheBytes', maxCacheBytes)
  wholeNumber(owner, 'redirects', redirects, { min: 0, max: maxRedirects })
  checkBoolean(owner, 'decompress', decompress)
  checkBoolean(owner, 'traceContext', traceContext)
  checkTextList(owner, 'forwardHeaders', forwardHeaders, "['accept-language']")
  for (const header of forwardHeaders) checkForwarded(owner, header)
  checkObject(owner, 'headers', headers, "{ 'user-agent': 'cats/1.0' }")
  checkSpelling(owner, Object.keys(headers))
  for (const [header, value] of Object.entries(headers)) checkFixedHeader(owner, header, value)

  const origins = checkOrigins(owner, name, options)
  const checked = Object.freeze({
    coalesces: operations.some(each => each?.coalesce || each?.cache),
    coalescesReplicas: operations.some(each => each?.coalesce === 'replicas'),
    caches: operations.some(each => each?.cache),
    listsStatuses: operations.some(each => each?.responses),
    keyBatches: operations.some(each => each?.keyBatch !== undefined),
    streams: operations.some(each => each?.bodyType === 'multipart' || each?.bodyType === 'bytes'),
    changes: operations.some(each => each !== undefined && !isSafe(each)),
    maxCacheBytes,
    name,
    ...checkPolicies(owner, options),
    ...origins,
    balance: options.balance === undefined ? defaultBalance : balanceSpec(owner, options.balance),
    concurrency,
    divideConcurrency,
    connections,
    maxQueue,
    attemptTimeout,
    totalTimeout,
    connectTimeout,
    maxResponseBytes,
    maxResponseHeaderBytes,
    maxRequestBytes,
    maxJsonValues,
    forwardHeaders: Object.freeze([...new Set(forwardHeaders.map(header => header.toLowerCase()))]),
    traceContext,
    headers: Object.freeze({ ...headers }),
    decompress,
    redirects,
    layers: checkLayers(owner, layers),
    ...checkAccess(owner, options, origins),
  })
  return withDeclared(checked, options)
}

function checkOrigins(
  owner: string,
  name: string,
  { origin, origins, balance, proxy }: UpstreamOptions,
): UpstreamOrigins {
  if (origin !== undefined && origins !== undefined)
    throw new TypeError(`${owner}: origin and origins exclude each other: remove one of them`)
  if (origins === undefined) {
    if (balance !== undefined) throw new TypeError(`${owner}: balance needs origins: replace origin by origins`)
    return { origin: checkOrigin(owner, origin), origins: undefined }
  }
  const specs = originSpecs(`${owner}: origins`, origins)
  if (proxy !== undefined && specs.some(isDiscovered))
    throw new TypeError(`${owner}: addresses and srv have no effect with proxy, which resolves names: remove one`)
  return declaredOrigins(name, specs)
}

function checkOrigin(owner: string, origin: string | undefined): string {
  if (origin === undefined)
    throw new TypeError(`${owner}: origin is missing: it must be a string such as ${example}, or set origins`)
  checkTextOption(owner, 'origin', origin, example)
  const fault = originFault(origin)
  if (fault !== undefined) throw new TypeError(`${owner}: ${fault}`)
  return originText(new URL(origin))
}
