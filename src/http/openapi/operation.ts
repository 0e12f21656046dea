import type { AnyAggregate } from '../../fanout/aggregate.ts'
import type { SourcesLevel } from '../../fanout/sources-level.ts'
import { mayBeAbsent } from './absent-value.ts'
import type { Components } from './components.ts'
import { declaredResponses } from './declared-problems.ts'
import { exampleOf, replyExample } from './example.ts'
import { header, type HeaderName } from './response-headers.ts'
import { componentName, operationId } from './operation-id.ts'
import { parametersOf } from './parameters.ts'
import { problemResponse, type ProblemStatus } from './problem-responses.ts'
import { replySchema } from './reply-schema.ts'
import { streamContent } from './stream-content.ts'
import { streamSchema } from './stream-events.ts'
import { streamExample } from './stream-example.ts'
import type { OpenapiVersion } from './version.ts'

/**
 * Returns the operation of an aggregate.
 *
 * @param names The names of the path's parameters.
 * @param guards The statuses of problems that the checks before the aggregate reply with.
 * @param service The part of the sources that callers of the service see.
 * @param version The version of OpenAPI in which the operation is written.
 */
export function operationOf(
  aggregate: AnyAggregate,
  names: readonly string[],
  components: Components,
  guards: readonly ProblemStatus[],
  service: SourcesLevel = 'full',
  version: OpenapiVersion = '3.1',
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
      ...successes(aggregate, level, components, version),
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

/** Returns the responses to a run that did not fail, by status. The status of a stream is 200. */
function successes(
  aggregate: AnyAggregate,
  level: SourcesLevel,
  components: Components,
  version: OpenapiVersion,
): Readonly<Record<number, object>> {
  const plain = Object.fromEntries(
    aggregate.statuses.map(status => [status, success(aggregate, status, level, components)]),
  )
  if (!aggregate.route.stream) return plain
  const streams = {
    name: `${componentName(aggregate.name)}Stream`,
    event: streamSchema(aggregate, level, components),
    example: streamExample(aggregate, level),
  }
  const content = streamContent(version, streams, components)
  const known: Success | undefined = plain[200]
  const words =
    'If `accept` asks for a stream, the status is 200, and the last event has the status, the headers and the body ' +
    'of this reply.'
  return {
    ...plain,
    200: {
      description: known === undefined ? `A stream of events. ${words}` : `${known.description}\n\n${words}`,
      headers: known?.headers ?? streamHeaders(components),
      content: { ...known?.content, ...content },
    },
    ...(aggregate.route.method === 'GET' && {
      204: plain[204] ?? {
        description: 'The stream that `last-event-id` names has ended.',
        headers: { 'x-request-id': header('RequestId', components) },
      },
    }),
  }
}

interface Success {
  readonly description: string
  readonly headers: object
  readonly content?: object
}

function streamHeaders(components: Components): object {
  return { 'x-request-id': header('RequestId', components), 'cache-control': header('StreamNotStored', components) }
}

function success(aggregate: AnyAggregate, status: number, level: SourcesLevel, components: Components): Success {
  const { route, schema } = aggregate
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
  const content = {
    'application/json': {
      schema: replySchema(aggregate, level, components),
      ...example(replyExample(aggregate, level)),
    },
  }
  const none = mayBeAbsent(schema) ? ` ${route.envelope ? 'Its `data`' : 'It'} is \`null\` if there is no value.` : ''
  if (route.envelope) {
    const how = level === 'none' ? '' : ', and `sources` for how each step ended'
    return { description: `The complete or partial reply: see \`complete\`${how}.${none}`, headers, content }
  }
  return {
    description: `The complete or partial reply: see the \`headwaters-complete\` header.${none}`,
    headers: { ...headers, ...outside() },
    content,
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
    'cache-control': header(cacheControlOf(route), components),
    ...(route.cacheControl !== undefined && { etag: header('ETag', components), vary: header('Vary', components) }),
  }
}

function cacheControlOf({ cacheControl, stream }: AnyAggregate['route']): HeaderName {
  if (cacheControl !== undefined) return 'CacheControl'
  return stream ? 'ReplyNotStored' : 'NotStored'
}

function example(value: unknown): object {
  return value === undefined ? {} : { example: value }
}
