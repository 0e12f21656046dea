import type { AnyAggregate } from '../../fanout/aggregate.ts'
import type { SourcesLevel } from '../../fanout/sources-level.ts'
import { mayBeAbsent } from './absent-value.ts'
import type { Components } from './components.ts'
import { declaredResponses } from './declared-problems.ts'
import { documentedSources } from './documented-sources.ts'
import { envelopeOf } from './envelope.ts'
import { exampleOf, replyExample } from './example.ts'
import { header } from './response-headers.ts'
import type { JsonSchema } from './schema-types.ts'
import { OutcomeState } from './outcome-state.ts'
import { operationId } from './operation-id.ts'
import { parametersOf } from './parameters.ts'
import { problemResponse, type ProblemStatus } from './problem-responses.ts'

/**
 * Returns the operation of an aggregate.
 *
 * @param names The names of the path's parameters.
 * @param guards The statuses of problems that the checks before the aggregate reply with.
 * @param service The part of the sources that callers of the service see.
 */
export function operationOf(
  aggregate: AnyAggregate,
  names: readonly string[],
  components: Components,
  guards: readonly ProblemStatus[],
  service: SourcesLevel = 'full',
): object {
  const {
    name,
    route: { summary, body, sources: level = service },
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
    description: describe(aggregate, level),
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
      ...Object.fromEntries(aggregate.statuses.map(status => [status, success(aggregate, status, level, components)])),
      ...(aggregate.route.cacheControl !== undefined && {
        304: {
          description: 'The reply has not changed since the entity tag of the request.',
          headers: headersOf(aggregate, level, components),
        },
      }),
      ...Object.fromEntries(statuses.map(status => [status, problemResponse(status, components, level)])),
      ...declaredResponses(aggregate, level, components, statuses),
    },
  }
}

function success(aggregate: AnyAggregate, status: number, level: SourcesLevel, components: Components): object {
  const { name, route, schema } = aggregate
  const where = `aggregate '${name}', reply`
  const outside = () => ({
    'headwaters-complete': header('Complete', components),
    ...(level !== 'none' && { 'headwaters-sources': header('Sources', components) }),
  })
  const headers = headersOf(aggregate, level, components)
  if (status === 204)
    return {
      description: 'The complete or partial reply without a body: see the `headwaters-complete` header.',
      headers: { ...headers, ...outside() },
    }
  const data = components.schema(schema, 'output', where)
  const content = (shape: JsonSchema) => ({
    'application/json': { schema: shape, ...example(replyExample(aggregate, level)) },
  })
  const none = mayBeAbsent(schema) ? ` ${route.envelope ? 'Its `data`' : 'It'} is \`null\` if there is no value.` : ''
  if (route.envelope) {
    const reply = `${operationId(name).replace(/^[a-z]/, first => first.toUpperCase())}Reply`
    const how = level === 'none' ? '' : ', and `sources` for how each step ended'
    return {
      description: `The complete or partial reply: see \`complete\`${how}.${none}`,
      headers,
      content: content(components.named(reply, envelope(aggregate, data, level, components), where)),
    }
  }
  return {
    description: `The complete or partial reply: see the \`headwaters-complete\` header.${none}`,
    headers: { ...headers, ...outside() },
    content: content(data),
  }
}

function envelope(aggregate: AnyAggregate, data: JsonSchema, level: SourcesLevel, components: Components): JsonSchema {
  const { name, steps } = aggregate
  const sources = level === 'none' ? [] : documentedSources(aggregate)
  const outcomes = sources.map(
    source =>
      [
        source.name,
        {
          ...components.schema(level === 'states' ? OutcomeState : source.schema, 'output', 'the outcomes'),
          description: source.description,
        },
      ] as const,
  )
  return {
    type: 'object',
    description: `The reply of \`${name}\`.`,
    ...envelopeOf(
      data,
      level !== 'none' && {
        type: 'object',
        description: 'How each step ended.',
        properties: Object.fromEntries(outcomes),
        ...(steps.length > 0 && { required: steps.map(step => step.name) }),
      },
    ),
  }
}

function describe({ route: { description, deadline }, steps }: AnyAggregate, level: SourcesLevel): string {
  const shown = level === 'none' ? [] : steps
  const names = shown.map(({ name }) => `\`${name}\``).join(', ')
  const facts = `Deadline: ${deadline} ms.${names === '' ? '' : ` Steps: ${names}.`}`
  return description === undefined ? facts : `${description}\n\n${facts}`
}

function headersOf({ route }: AnyAggregate, level: SourcesLevel, components: Components): object {
  return {
    'x-request-id': header('RequestId', components),
    ...(level !== 'none' && { 'server-timing': header('ServerTiming', components) }),
    ...(level === 'full' && { 'cache-status': header('CacheStatus', components) }),
    'cache-control': header(route.cacheControl === undefined ? 'NotStored' : 'CacheControl', components),
    ...(route.cacheControl !== undefined && { etag: header('ETag', components), vary: header('Vary', components) }),
  }
}

function example(value: unknown): object {
  return value === undefined ? {} : { example: value }
}
