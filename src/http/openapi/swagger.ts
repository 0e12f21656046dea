import type { FastifyInstance, RouteOptions } from 'fastify'
import type { AnyAggregate } from '../../fanout/aggregate.ts'
import { fastifyPath } from '../routing/path-template.ts'
import { embeddedSchema } from './embedded-schema.ts'
import { enveloped, problemOf } from './embedded-sources.ts'
import { fieldsOf } from './parameters.ts'
import type { JsonSchema } from './schema-types.ts'

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
function description(aggregate: AnyAggregate, prefix: string): Partial<RouteOptions> {
  const {
    name,
    route: { body, envelope, summary = name, description: text },
    schema,
  } = aggregate
  const data = embeddedSchema(schema, 'output', `aggregate '${name}', reply`)
  const problemBody = problemOf(aggregate)
  const problem = (title: string) => ({
    description: title,
    content: { 'application/problem+json': { schema: problemBody } },
  })
  // `object`, since the fields of a description are not those of Fastify's own type.
  const described: object = {
    // Two registrations of one aggregate differ by their prefix, and operations of one document must differ by their
    // ids.
    operationId: `${prefix} ${name}`
      .trim()
      .replaceAll(/(?<!\W)\W+(\w)/g, (_, first: string, at: number) => (at === 0 ? first : first.toUpperCase())),
    summary,
    tags: ['Aggregates'],
    ...(text !== undefined && { description: text }),
    ...parameters(aggregate),
    ...(body !== undefined && { body: embeddedSchema(body, 'input', `aggregate '${name}', body`) }),
    response: {
      200: response('The merged reply', envelope ? enveloped(aggregate, data) : data),
      '4xx': problem('The request is refused'),
      default: problem('The problem'),
    },
  }
  return {
    schema: described,
    validatorCompiler: noCompiler,
    serializerCompiler: noCompiler,
  }
}

/** Returns the schemas of the path, the query and the headers, each as an object with one property per field. */
function parameters({ name, route }: AnyAggregate): object {
  const parts = { params: 'params', query: 'querystring', headers: 'headers' } as const
  return Object.fromEntries(
    Object.entries(parts).flatMap(([part, key]) => {
      const schema = route[part as keyof typeof parts]
      if (schema === undefined) return []
      const shape = embeddedSchema(schema, 'input', `aggregate '${name}', ${part}`)
      // `@fastify/swagger` takes the keywords of a schema without properties for fields.
      const fields = fieldsOf(shape, part === 'headers' ? route.headerFields : undefined) ?? []
      const required = fields.filter(field => field.required).map(field => field.name)
      return [
        [
          key,
          {
            type: 'object',
            properties: Object.fromEntries(fields.map(field => [field.name, field.schema])),
            ...(required.length > 0 && { required }),
          },
        ],
      ]
    }),
  )
}

/** Returns a response of JSON. `@fastify/swagger` takes the type `null` for a response without a body. */
function response(title: string, schema: JsonSchema): object {
  return schema['type'] === 'null'
    ? { description: title, content: { 'application/json': { schema } } }
    : { description: title, ...schema }
}

/** A compiler without a result, with which Fastify neither validates nor serializes. */
const noCompiler = (() => undefined) as unknown as NonNullable<RouteOptions['validatorCompiler']> &
  NonNullable<RouteOptions['serializerCompiler']>
