import type { FastifyInstance, FastifySchema, RouteOptions } from 'fastify'
import { z } from 'zod'
import type { AnyAggregate } from '../../fanout/aggregate.ts'
import { fastifyPath } from '../routing/path-template.ts'
import { integerForm, withoutBigints } from './bigint-schema.ts'

/**
 * A registry of metadata without ids. An id would become a `$ref` within one schema, which has no target in the app's
 * document.
 */
const unnamed = {
  get(schema: z.ZodType) {
    const { id: _, ...rest } = z.globalRegistry.get(schema) ?? {}
    return rest
  },
  has: (schema: z.ZodType) => z.globalRegistry.has(schema),
}

/**
 * Returns the app with a `route` function that adds a `schema` to the route of each aggregate, for `@fastify/swagger`,
 * and hides all other routes from it. Fastify neither validates nor serializes with these schemas: the aggregate does
 * both.
 */
export function describeRoutes(app: FastifyInstance, aggregates: readonly AnyAggregate[]): FastifyInstance {
  const byRoute = new Map(
    aggregates.map(aggregate => [`${aggregate.route.method} ${fastifyPath(aggregate.route.url)}`, aggregate]),
  )
  const route = (options: RouteOptions): FastifyInstance => {
    const aggregate = byRoute.get(`${String(options.method)} ${options.url}`)
    return app.route({ ...options, ...(aggregate === undefined ? hidden : description(aggregate, app.prefix)) })
  }
  return Object.create(app, { route: { value: route } }) as FastifyInstance
}

/** Hides a route from the document. */
const hidden = { schema: { hide: true } as NonNullable<RouteOptions['schema']> }

/** Returns the options of `app.route` that describe an aggregate. */
function description(
  {
    name,
    route: { url, params, query, body, headers, envelope, summary = name, description: text },
    schema,
  }: AnyAggregate,
  prefix: string,
): Partial<RouteOptions> {
  const data = jsonSchema(schema, 'output')
  return {
    schema: {
      // Two registrations of one aggregate differ by their prefix, and operations of one document must differ by their
      // ids.
      operationId: `${prefix} ${name}`
        .trim()
        .replaceAll(/(?<!\W)\W+(\w)/g, (_, first: string, at: number) => (at === 0 ? first : first.toUpperCase())),
      summary,
      tags: ['Aggregates'],
      ...(text !== undefined && { description: text }),
      ...(params !== undefined && { params: jsonSchema(params, 'input') }),
      ...(query !== undefined && { querystring: jsonSchema(query, 'input') }),
      ...(body !== undefined && { body: jsonSchema(body, 'input') }),
      ...(headers !== undefined && { headers: jsonSchema(headers, 'input') }),
      response: {
        200: { description: 'The merged reply', ...(envelope ? enveloped(data) : data) },
        default: {
          description: 'The problem',
          content: { 'application/problem+json': { schema: problem } },
        },
      },
    } as NonNullable<RouteOptions['schema']>,
    validatorCompiler: noCompiler,
    serializerCompiler: noCompiler,
    ...(misread.test(url) && { config: pathConfig(url) }),
  }
}

/** Characters of a path template with which `@fastify/swagger` does not find the template in the URL of the route. */
const misread = /[()%]/

/** Returns the `config` of a route that gives `@fastify/swagger` the template in place of the URL in Fastify's syntax. */
function pathConfig(template: string): object {
  const own = fastifyPath(template)
  const path = template.replaceAll(':', '::').replaceAll('(', '%28').replaceAll(')', '%29')
  const swaggerTransform = ({ schema, url }: { readonly schema: FastifySchema; readonly url: string }) => ({
    schema,
    url: url.slice(0, -own.length) + path,
  })
  return { swaggerTransform }
}

/** A compiler without a result, with which Fastify neither validates nor serializes. */
const noCompiler = (() => undefined) as unknown as NonNullable<RouteOptions['validatorCompiler']> &
  NonNullable<RouteOptions['serializerCompiler']>

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): object {
  const {
    $schema: _,
    definitions = {},
    ...rest
  } = z.toJSONSchema(schema, {
    io,
    target: 'draft-7',
    unrepresentable: ({ zodSchema }) => integerForm(zodSchema) ?? 'any',
    // The collector writes schemas with JSON.stringify, so an integer that a number cannot represent is text.
    override: ({ jsonSchema: draft }) => {
      Object.assign(draft, withoutBigints({ ...draft }, ''))
    },
    metadata: unnamed as unknown as typeof z.globalRegistry,
  })
  return unrolled(rest, { ...(definitions as object), '#': rest }, ['#']) as object
}

/**
 * Returns the schema with each reference to one of its parts replaced by that part. A recursive reference is replaced
 * by the empty schema.
 */
function unrolled(value: unknown, parts: Readonly<Record<string, unknown>>, within: readonly string[]): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(each => unrolled(each, parts, within))
  const { $ref } = value as { readonly $ref?: unknown }
  if (typeof $ref !== 'string')
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, unrolled(each, parts, within)]))
  const name = $ref.replace('#/definitions/', '')
  return within.includes(name) ? {} : unrolled(parts[name], parts, [...within, name])
}

const sources = {
  type: 'object',
  description: 'How each step ended, in the order of declaration',
  additionalProperties: {
    type: 'object',
    properties: {
      state: { type: 'string' },
      start: { type: 'number' },
      ms: { type: 'number' },
      attempts: { type: 'integer' },
    },
    required: ['state', 'ms', 'attempts'],
    additionalProperties: true,
  },
}

function enveloped(data: object): object {
  return {
    type: 'object',
    properties: { data, complete: { type: 'boolean' }, sources },
    required: ['data', 'complete', 'sources'],
  }
}

const problem = {
  type: 'object',
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string' },
    instance: { type: 'string' },
    errors: {
      type: 'array',
      items: { type: 'object', properties: { pointer: { type: 'string' }, reason: { type: 'string' } } },
    },
    sources,
  },
  required: ['type', 'title', 'status', 'detail', 'code'],
}
