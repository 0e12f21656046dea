import type { AnyAggregate } from '../../fanout/aggregate.ts'
import { mayBeAbsent } from './absent-value.ts'
import type { Components } from './components.ts'
import { documentedSources } from './documented-sources.ts'
import { exampleOf, replyExample } from './example.ts'
import { header } from './response-headers.ts'
import type { JsonSchema } from './schema-types.ts'
import { operationId } from './operation-id.ts'
import { parametersOf } from './parameters.ts'
import { problemResponse, type ProblemStatus } from './problem-responses.ts'

/**
 * Returns the operation of an aggregate.
 *
 * @param names The names of the path's parameters.
 * @param guards The statuses of problems that the checks before the aggregate reply with.
 */
export function operationOf(
  aggregate: AnyAggregate,
  names: readonly string[],
  components: Components,
  guards: readonly ProblemStatus[],
): object {
  const {
    name,
    route: { summary, body },
  } = aggregate
  const statuses: readonly ProblemStatus[] = [
    400,
    406,
    ...(body === undefined ? [] : ([413, 415] as const)),
    ...guards,
    '4XX',
    500,
    502,
    503,
    504,
  ]
  return {
    operationId: operationId(name),
    summary: summary ?? name.replaceAll('-', ' '),
    description: describe(aggregate),
    tags: ['Aggregates'],
    parameters: parametersOf(aggregate, names, components),
    ...(body !== undefined && {
      requestBody: {
        ...(body._zod.optin !== 'optional' && { required: true }),
        content: {
          'application/json': {
            schema: components.schema(body, 'input', `aggregate '${name}', body`),
            ...example(exampleOf(body)),
          },
        },
      },
    }),
    responses: {
      200: success(aggregate, components),
      ...(aggregate.route.cacheControl !== undefined && {
        304: {
          description: 'The reply has not changed since the entity tag of the request.',
          headers: headersOf(aggregate, components),
        },
      }),
      ...Object.fromEntries(statuses.map(status => [status, problemResponse(status, components)])),
    },
  }
}

function success(aggregate: AnyAggregate, components: Components): object {
  const { name, route, schema } = aggregate
  const where = `aggregate '${name}', reply`
  const data = components.schema(schema, 'output', where)
  const content = (shape: JsonSchema) => ({
    'application/json': { schema: shape, ...example(replyExample(aggregate)) },
  })
  const none = mayBeAbsent(schema) ? ` ${route.envelope ? 'Its `data`' : 'It'} is \`null\` if there is no value.` : ''
  if (route.envelope) {
    const reply = `${operationId(name).replace(/^[a-z]/, first => first.toUpperCase())}Reply`
    return {
      description: `The complete or partial reply: see \`complete\`, and \`sources\` for how each step ended.${none}`,
      headers: headersOf(aggregate, components),
      content: content(components.named(reply, envelope(aggregate, data, components), where)),
    }
  }
  return {
    description: `The complete or partial reply: see the \`headwaters-complete\` header.${none}`,
    headers: {
      ...headersOf(aggregate, components),
      'headwaters-complete': header('Complete', components),
      'headwaters-sources': header('Sources', components),
    },
    content: content(data),
  }
}

function envelope(aggregate: AnyAggregate, data: JsonSchema, components: Components): JsonSchema {
  const { name, steps } = aggregate
  const outcomes = documentedSources(aggregate).map(
    source =>
      [
        source.name,
        { ...components.schema(source.schema, 'output', 'the outcomes'), description: source.description },
      ] as const,
  )
  return {
    type: 'object',
    description: `The reply of \`${name}\`.`,
    properties: {
      data,
      complete: { type: 'boolean', description: 'Whether every source is `ok` or `skipped`.' },
      sources: {
        type: 'object',
        description: 'How each step ended.',
        properties: Object.fromEntries(outcomes),
        ...(steps.length > 0 && { required: steps.map(step => step.name) }),
      },
    },
    required: ['data', 'complete', 'sources'],
  }
}

function describe({ route: { description, deadline }, steps }: AnyAggregate): string {
  const names = steps.map(({ name }) => `\`${name}\``).join(', ')
  const facts = `Deadline: ${deadline} ms.${names === '' ? '' : ` Steps: ${names}.`}`
  return description === undefined ? facts : `${description}\n\n${facts}`
}

function headersOf({ route }: AnyAggregate, components: Components): object {
  return {
    'x-request-id': header('RequestId', components),
    'server-timing': header('ServerTiming', components),
    'cache-status': header('CacheStatus', components),
    'cache-control': header(route.cacheControl === undefined ? 'NotStored' : 'CacheControl', components),
    ...(route.cacheControl !== undefined && { etag: header('ETag', components), vary: header('Vary', components) }),
  }
}

function example(value: unknown): object {
  return value === undefined ? {} : { example: value }
}
