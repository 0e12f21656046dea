import { checkOverflow, wholeNumber, type Overflow } from '../core/bounds.ts'
import { withDeclared } from '../core/declared-options.ts'
import { deepFreeze } from '../core/freeze.ts'
import { isOpen } from '../core/schema/depth.ts'
import { headerFields, type HeaderFields } from '../core/schema/header-fields.ts'
import { rejectUnknownOptions, type OptionKeys } from '../core/option-keys.ts'
import { checkBoolean, checkTextList, checkTextOption } from '../core/option-values.ts'
import { checkText } from '../core/schema/check-text.ts'
import { parseTemplate } from '../upstream/spec/template.ts'
import { textParser } from '../core/schema/text-parser.ts'
import { textSchema } from '../core/schema/text-schema.ts'
import { checkZod } from '../core/schema/wrapped.ts'
import { checkFallback, refuseFallback } from './check-fallback.ts'
import { readProblems } from './declared-problems.ts'
import type { Schema } from './inference.ts'
import { checkPages, type AnyPagesOptions } from './page-options.ts'
import { rejectOldOptional, renamedOptions } from './renamed.ts'
import type { Criticality, Route, RouteOptions } from './route.ts'
import { allowsSharedCache } from './shared-caches.ts'
import { checkSourcesLevel } from './sources-level.ts'
import type { Step, StepKind } from './step.ts'
import { credentialHeaders, Vary } from './vary.ts'

const methods: ReadonlySet<unknown> = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] satisfies Route['method'][])
/** The weights by which permits are divided between aggregates. */
const weights: Readonly<Record<Criticality, number>> = { high: 4, normal: 2, low: 1 }
const aggregateName = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/
const stepName = /^[A-Za-z][A-Za-z0-9_]*$/
const reserved = new Set(['params', 'query', 'body', 'headers', 'context', 'signal', 'ask'])

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
const stepOptions = { needs: true, timeout: true } as const
const optionsOf: Readonly<Record<StepKind, Readonly<Record<string, true>>>> = {
  required: stepOptions,
  optional: { ...stepOptions, fallback: true },
  each: { ...stepOptions, concurrency: true, maxItems: true, overflow: true, minSuccess: true, fallback: true },
  firstOf: { ...stepOptions, count: true },
  pages: { ...stepOptions, concurrency: true, overflow: true, next: true, maxPages: true, onLoss: true },
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
  if (url.includes('+}'))
    throw new TypeError(
      `${owner}: the url '${url}' has a name with '+', which only the path of an operation can have: remove the '+', ` +
        'or take the path as a field of the query',
    )
  parseTemplate(url, owner)
  const adjacent = /\{\w+\}\{\w+\}/.exec(url)
  if (adjacent !== null)
    throw new TypeError(
      `${owner}: the url '${url}' has no text between the parameters of '${adjacent[0]}', so the end of ` +
        `the first value is ambiguous: write text between them, for example '${adjacent[0].replace('}{', '},{')}'`,
    )
  const colon = /\/:([A-Za-z_]\w*)/.exec(url)
  if (colon !== null)
    throw new TypeError(
      `${owner}: the url '${url}' contains ':${colon[1]}', which is literal text: write {${colon[1]}} for a parameter`,
    )
  if (url.includes('*'))
    throw new TypeError(`${owner}: the url '${url}' contains '*', which routers read as a wildcard: encode it as %2A`)
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

/** Checks the arguments of reply(). */
export function checkReply(owner: string, schema: Schema, merge: unknown): void {
  if (schema === undefined)
    throw new TypeError(`${owner}: reply() needs the zod schema of the reply: reply(z.object({ … }), merge)`)
  checkZod(owner, { reply: schema })
  if (typeof merge !== 'function')
    throw new TypeError(
      `${owner}: reply() needs a function that returns the reply: reply(schema, ({ facts }) => ({ facts }))`,
    )
}

interface AnyStepOptions extends AnyPagesOptions {
  readonly needs?: readonly string[]
  readonly timeout?: number
  readonly concurrency?: number
  readonly maxItems?: number
  readonly overflow?: Overflow
  readonly minSuccess?: number
  readonly fallback?: unknown
  readonly count?: number
}

/**
 * Checks one step against the earlier steps and adds its defaults.
 *
 * @param hasContext True if the aggregate has a context(), which is a source of its replies.
 */
export function addStep(
  aggregate: string,
  hasContext: boolean,
  before: readonly Step[],
  kind: StepKind,
  name: string,
  handler: Step['handler'],
  options: AnyStepOptions,
): Step {
  const owner = `aggregate '${aggregate}', step '${name}'`
  if (typeof name !== 'string' || !stepName.test(name))
    throw new TypeError(
      `${owner}: a step name must begin with a letter and contain only letters, digits and underscores`,
    )
  if (reserved.has(name)) throw new TypeError(`${owner}: '${name}' is part of the input: choose another step name`)
  const same = before.find(step => step.name.toLowerCase() === name.toLowerCase())
  if (same?.name === name)
    throw new TypeError(`${owner}: a step with this name is already declared: choose another name`)
  if (same !== undefined)
    throw new TypeError(
      `${owner}: its name differs from that of step '${same.name}' by case only, and ` +
        'headwaters-sources has names in lower case: rename one',
    )
  if (hasContext && name.toLowerCase() === 'context')
    throw new TypeError(
      `${owner}: its name differs from that of the source 'context' by case only, and ` +
        'headwaters-sources has names in lower case: rename the step',
    )
  if (kind === 'optional') rejectOldOptional(owner, name, handler, options)
  if (typeof handler !== 'function') throw new TypeError(`${owner}: needs a function that returns a call`)

  refuseFallback(owner, kind, options)
  rejectUnknownOptions(owner, options, optionsOf[kind], { renamed: renamedOptions[kind] ?? {} })
  const {
    needs = [],
    timeout,
    concurrency,
    maxItems = 100,
    overflow = 'error',
    minSuccess,
    fallback,
    count = 1,
  } = options
  checkTextList(owner, 'needs', needs, "['breed']")
  if (timeout !== undefined) wholeNumber(owner, 'timeout', timeout, { unit: 'ms' })
  if (concurrency !== undefined) wholeNumber(owner, 'concurrency', concurrency)
  wholeNumber(owner, 'maxItems', maxItems)
  checkOverflow(owner, overflow)
  wholeNumber(owner, 'count', count)
  checkFallback(owner, kind, options)
  if (minSuccess !== undefined) wholeNumber(owner, 'minSuccess', minSuccess, { min: 0 })

  const step = Object.freeze({
    name,
    index: before.length,
    kind,
    handler,
    timeout,
    concurrency: concurrency ?? Infinity,
    maxItems,
    overflow,
    count,
    minSuccess,
    needs: Object.freeze([...new Set(needs)].map(need => indexOf(before, need, owner))),
    fallback: deepFreeze(fallback),
    isFrozen: kind === 'optional' || minSuccess !== undefined,
    next: undefined,
    ...(kind === 'pages' && checkPages(owner, options)),
  })
  return withDeclared(step, options)
}

function indexOf(before: readonly Step[], need: string, owner: string): number {
  const step = before.find(({ name }) => name === need)
  if (step === undefined) throw new TypeError(`${owner}: needs '${need}', and no earlier step has that name`)
  return step.index
}
