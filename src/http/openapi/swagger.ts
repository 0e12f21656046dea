import type { FastifyInstance, FastifySchema, RouteOptions } from 'fastify'
import type { z } from 'zod'
import type { AnyAggregate } from '../../fanout/aggregate.ts'
import type { SourcesLevel } from '../../fanout/sources-level.ts'
import { fastifyPath } from '../routing/path-template.ts'
import { embeddedSchema } from './embedded-schema.ts'
import { enveloped, problemOf } from './embedded-sources.ts'
import { fieldsOf } from './parameters.ts'
import type { JsonSchema } from './schema-types.ts'

/**
 * Returns the app with a `route` function that adds a `schema` to the route of each aggregate, for `@fastify/swagger`,
 * and hides all other routes from it. Fastify does not validate or serialize with these schemas, because the aggregate
 * does both.
 *
 * @param sources The part of the sources that callers of these routes see.
 */
export function describeRoutes(
  app: FastifyInstance,
  aggregates: readonly AnyAggregate[],
  sources: SourcesLevel,
): FastifyInstance {
  const byRoute = new Map(
    aggregates.map(aggregate => [`${aggregate.route.method} ${fastifyPath(aggregate.route.url)}`, aggregate]),
  )
  const route = (options: RouteOptions): FastifyInstance => {
    const aggregate = byRoute.get(`${String(options.method)} ${options.url}`)
    return app.route({
      ...options,
      ...(aggregate === undefined ? hidden : description(aggregate, app.prefix, sources)),
    })
  }
  return Object.create(app, { route: { value: route } }) as FastifyInstance
}

/** Hides a route from the document. */
const hidden = { schema: { hide: true } as NonNullable<RouteOptions['schema']> }

// `@fastify/swagger` converts the schema of a reply only if the reply has one media type.
const replyOrStream =
  'The merged reply, or its events if `accept` asks for `application/x-ndjson`, `application/jsonl` or ' +
  '`text/event-stream`'

/** Returns the options of `app.route` that describe an aggregate. */
function description(aggregate: AnyAggregate, prefix: string, sources: SourcesLevel): Partial<RouteOptions> {
  const {
    name,
    route: { url, body, envelope, sources: level = sources, summary = name, description: text, problems, stream },
    schema,
    statuses,
  } = aggregate
  const data = embeddedSchema(schema, 'output', `aggregate '${name}', reply`)
  const problemBody = problemOf(aggregate, level)
  const problem = (title: string, own?: z.ZodType, status?: number) => ({
    description: title,
    content: {
      'application/problem+json': {
        schema:
          own === undefined
            ? problemBody
            : { allOf: [problemBody, embeddedSchema(own, 'input', `aggregate '${name}', problems[${status}]`)] },
      },
    },
  })
  const reply = response(
    stream ? replyOrStream : 'The merged reply',
    envelope ? enveloped(aggregate, data, level) : data,
  )
  // The type is `object`, since Fastify's type does not have all fields of a description.
  const described: object = {
    // Each operation of a document needs a unique id. The prefix makes two registrations of one aggregate different.
    operationId: `${prefix} ${name}`
      .trim()
      .replaceAll(/(?<!\W)\W+(\w)/g, (_, first: string, at: number) => (at === 0 ? first : first.toUpperCase())),
    summary,
    tags: ['Aggregates'],
    ...(text !== undefined && { description: text }),
    ...parameters(aggregate),
    ...(body !== undefined && { body: embeddedSchema(body, 'input', `aggregate '${name}', body`) }),
    response: {
      ...Object.fromEntries(
        statuses.map(status => [status, status === 204 ? { description: 'The reply', type: 'null' } : reply]),
      ),
      ...Object.fromEntries(
        Array.from(problems ?? [], ([status, own]) => [status, problem(own.description, own.schema, status)]),
      ),
      '4xx': problem('The request is refused'),
      default: problem('The problem'),
    },
  }
  return {
    schema: described,
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

/** Returns the schemas of the path, the query and the headers, each as an object with one property per field. */
function parameters({ name, route }: AnyAggregate): object {
  const parts = { params: 'params', query: 'querystring', headers: 'headers' } as const
  return Object.fromEntries(
    Object.entries(parts).flatMap(([part, key]) => {
      const schema = route[part as keyof typeof parts]
      if (schema === undefined) return []
      const shape = embeddedSchema(schema, 'input', `aggregate '${name}', ${part}`)
      // `@fastify/swagger` reads the keywords of a schema without properties as fields.
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

/** Returns a response of JSON. `@fastify/swagger` reads the type `null` as a response without a body. */
function response(title: string, schema: JsonSchema): object {
  return schema['type'] === 'null'
    ? { description: title, content: { 'application/json': { schema } } }
    : { description: title, ...schema }
}

/** A compiler that returns undefined, so that Fastify does not validate or serialize. */
const noCompiler = (() => undefined) as unknown as NonNullable<RouteOptions['validatorCompiler']> &
  NonNullable<RouteOptions['serializerCompiler']>
