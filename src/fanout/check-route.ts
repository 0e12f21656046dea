import { wholeNumber } from '../core/bounds.ts'
import { withDeclared } from '../core/declared-options.ts'
import { isOpen } from '../core/schema/depth.ts'
import { headerFields, type HeaderFields } from '../core/schema/header-fields.ts'
import { rejectUnknownOptions, type OptionKeys } from '../core/option-keys.ts'
import { checkBoolean, checkTextOption } from '../core/option-values.ts'
import { checkText } from '../core/schema/check-text.ts'
import { textParser } from '../core/schema/text-parser.ts'
import { textSchema } from '../core/schema/text-schema.ts'
import { checkZod } from '../core/schema/wrapped.ts'
import { checkUrl } from './check-url.ts'
import { readProblems } from './declared-problems.ts'
import type { Schema } from './inference.ts'
import type { Criticality, Route, RouteOptions } from './route.ts'
import { allowsSharedCache } from './shared-caches.ts'
import { checkSourcesLevel } from './sources-level.ts'
import { credentialHeaders, Vary } from './vary.ts'

const methods: ReadonlySet<unknown> = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] satisfies Route['method'][])
/** The weights by which permits are divided between aggregates. */
const weights: Readonly<Record<Criticality, number>> = { high: 4, normal: 2, low: 1 }
const aggregateName = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/
type AnyRouteOptions = RouteOptions<string> & {
  readonly params?: Schema
  readonly query?: Schema
  readonly body?: Schema
  readonly headers?: Schema
}

const routeOptions: OptionKeys<AnyRouteOptions> = {
  url: true,
  method: true,
  params: true,
  query: true,
  body: true,
  headers: true,
  deadline: true,
  criticality: true,
  envelope: true,
  cacheControl: true,
  problems: true,
  sources: true,
  stream: true,
  batch: true,
  bulk: true,
  summary: true,
  description: true,
}
/** Checks the route of an aggregate and adds its defaults. */
export function checkRoute(name: string, options: AnyRouteOptions): Route {
  if (typeof name !== 'string' || !aggregateName.test(name))
    throw new TypeError(`the aggregate '${name}' needs a name in lower case with hyphens, for example 'cat-facts'`)
  const owner = `aggregate '${name}'`
  rejectUnknownOptions(owner, options, routeOptions)
  const {
    url,
    params,
    query,
    body,
    headers,
    deadline = 2000,
    criticality = 'normal',
    method = body === undefined ? 'GET' : 'POST',
    envelope = true,
    cacheControl,
    problems,
    sources,
    stream = true,
    batch = false,
    bulk = false,
    summary,
    description,
  } = options
  checkTextOption(owner, 'url', url, "'/v1/cats/{name}'")
  checkZod(owner, { params, query, body, headers })
  if (!methods.has(method))
    throw new TypeError(`${owner}: the method must be one of ${[...methods].join(', ')}, got ${method}`)
  if (!Object.keys(weights).includes(criticality))
    throw new TypeError(
      `${owner}: criticality must be one of ${Object.keys(weights).join(', ')}, got ${String(criticality)}`,
    )
  checkBoolean(owner, 'envelope', envelope)
  checkBoolean(owner, 'stream', stream)
  checkBoolean(owner, 'batch', batch)
  checkBoolean(owner, 'bulk', bulk)
  if (cacheControl !== undefined) checkTextOption(owner, 'cacheControl', cacheControl, "'public, max-age=60'")
  if (sources !== undefined) checkSourcesLevel(owner, sources)
  if (summary !== undefined) checkTextOption(owner, 'summary', summary, "'Facts about cats'")
  if (description !== undefined) checkTextOption(owner, 'description', description, "'Facts of several sources.'")
  wholeNumber(owner, 'deadline', deadline, { unit: 'ms' })
  checkUrl(owner, url)
  if (cacheControl !== undefined && !/^[\x20-\x7e]+$/.test(cacheControl))
    throw new TypeError(
      `${owner}: cacheControl must be a header value such as 'public, max-age=60', got '${cacheControl}'`,
    )
  if (cacheControl !== undefined && method !== 'GET')
    throw new TypeError(`${owner}: cacheControl requires GET, and this aggregate is ${method}: remove cacheControl`)
  if (body !== undefined && method === 'GET')
    throw new TypeError(`${owner}: a GET has no body: declare its input as query, or its method as POST`)
  for (const [part, schema] of [
    ['params', params],
    ['query', query],
    ['headers', headers],
  ] as const) {
    checkText(`${owner}, ${part}`, schema)
    // Create the schema now, so that the first request does not wait for it.
    if (schema !== undefined) textSchema(schema)
  }
  const fields = headers && headerFields(`${owner}, headers`, headers)
  const isShared = cacheControl !== undefined && allowsSharedCache(cacheControl)
  if (isShared) refuseCredentials(owner, fields, cacheControl)
  const route = Object.freeze({
    url,
    method,
    deadline,
    criticality,
    flow: Object.freeze({ weight: weights[criticality] }),
    params,
    query,
    body,
    isBodyOpen: body !== undefined && isOpen(body),
    headers,
    texts: {
      params: params && textParser(params),
      query: query && textParser(query),
      headers: headers && textParser(headers),
    },
    headerFields: fields,
    envelope,
    cacheControl,
    problems: readProblems(owner, problems),
    sources,
    stream,
    batch,
    bulk,
    isShared,
    summary,
    description,
    vary: cacheControl === undefined ? undefined : Vary.of(['accept', ...(fields?.spelled.keys() ?? [])]),
  })
  return withDeclared(route, options)
}

function refuseCredentials(owner: string, fields: HeaderFields | undefined, cacheControl: string): void {
  for (const [lower, name] of fields?.spelled ?? []) {
    if (credentialHeaders.has(lower))
      throw new TypeError(
        `${owner}: its headers schema names '${name}', which is a credential, and its ` +
          `cacheControl '${cacheControl}' lets a shared cache give the reply to other callers: ` +
          `write private, for example 'private, max-age=60'`,
      )
  }
}
