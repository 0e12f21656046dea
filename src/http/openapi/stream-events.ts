import type { AnyAggregate } from '../../fanout/aggregate.ts'
import type { SourcesLevel } from '../../fanout/sources-level.ts'
import type { Components } from './components.ts'
import { problemBodies } from './declared-problems.ts'
import { documentedSources } from './documented-sources.ts'
import { componentName } from './operation-id.ts'
import { problemSchemas } from './problem-schema.ts'
import { dataSchema, replySchema } from './reply-schema.ts'
import type { JsonSchema } from './schema-types.ts'
import { problemWords, StreamHeaders, streamSchemas } from './stream-schema.ts'

/** Returns the schemas of the events of an aggregate's streams, by the value of their field `event`. */
export function streamEvents(
  aggregate: AnyAggregate,
  level: SourcesLevel,
  components: Components,
): Readonly<Record<string, JsonSchema>> {
  const { plan, source, item } = streamSchemas[level]
  const shared = (schema: Parameters<Components['schema']>[0]) => components.schema(schema, 'output', 'the events')
  const hasItems = aggregate.steps.some(({ kind }) => kind === 'each')
  return {
    plan: shared(plan),
    ...(source !== undefined && documentedSources(aggregate).length > 0 && { source: shared(source) }),
    ...(item !== undefined && hasItems && { item: shared(item) }),
    ...(aggregate.snapshot !== false && { snapshot: snapshotSchema(aggregate, level, components) }),
    reply: replyEvent(aggregate, level, components),
    problem: problemEvent(aggregate, level, components),
  }
}

/** Returns the schema of all events of an aggregate's streams. */
export function streamSchema(aggregate: AnyAggregate, level: SourcesLevel, components: Components): JsonSchema {
  const { name } = aggregate
  const mapping = streamEvents(aggregate, level, components)
  return components.named(
    `${componentName(name)}StreamEvent`,
    {
      description: `An event of a stream of \`${name}\`. The last one is \`reply\` or \`problem\`.`,
      oneOf: Object.values(mapping),
      discriminator: {
        propertyName: 'event',
        mapping: Object.fromEntries(Object.entries(mapping).map(([event, { $ref }]) => [event, $ref])),
      },
    },
    placeOf(aggregate),
  )
}

function snapshotSchema(aggregate: AnyAggregate, level: SourcesLevel, components: Components): JsonSchema {
  const { name, steps } = aggregate
  const names = steps.map(step => step.name)
  const shape = {
    type: 'object',
    description: 'The data of the reply as far as it is known. Each snapshot replaces the one before it.',
    properties: {
      event: { type: 'string', const: 'snapshot' },
      data: dataSchema(aggregate, components),
      complete: { type: 'boolean', const: false },
      ...(level !== 'none' && {
        pending: {
          type: 'array',
          description: 'The names of the steps that have not ended.',
          items: { type: 'string', ...(names.length > 0 && { enum: names }) },
        },
      }),
    },
    required: ['event', 'data', 'complete', ...(level === 'none' ? [] : ['pending'])],
  }
  return components.named(`${componentName(name)}StreamSnapshot`, shape, placeOf(aggregate))
}

function replyEvent(aggregate: AnyAggregate, level: SourcesLevel, components: Components): JsonSchema {
  const { name, statuses } = aggregate
  const bodies = [
    ...(statuses.some(status => status !== 204) ? [replySchema(aggregate, level, components)] : []),
    ...(statuses.includes(204) ? [{ type: 'null' }] : []),
  ]
  const shape = {
    type: 'object',
    description: 'The last event of a run that did not fail. Its body is that of the plain reply.',
    properties: {
      event: { type: 'string', const: 'reply' },
      status: { type: 'integer', enum: statuses },
      headers: components.schema(StreamHeaders, 'output', 'the events'),
      body: bodies.length === 1 ? bodies[0] : { anyOf: bodies },
    },
    required: ['event', 'status', 'headers', 'body'],
  }
  return components.named(`${componentName(name)}StreamReply`, shape, placeOf(aggregate))
}

function problemEvent(aggregate: AnyAggregate, level: SourcesLevel, components: Components): JsonSchema {
  const declared = distinct(problemBodies(aggregate, level, components))
  if (declared.length === 0) return components.schema(streamSchemas[level].problem, 'output', 'the events')
  const own = components.schema(problemSchemas[level].own, 'output', 'the problems')
  const shape = {
    type: 'object',
    description: problemWords,
    properties: {
      event: { type: 'string', const: 'problem' },
      status: { type: 'integer', minimum: 400, maximum: 599 },
      headers: components.schema(StreamHeaders, 'output', 'the events'),
      body: { anyOf: [own, ...declared] },
    },
    required: ['event', 'status', 'headers', 'body'],
  }
  return components.named(`${componentName(aggregate.name)}StreamProblem`, shape, placeOf(aggregate))
}

function distinct(bodies: ReadonlyMap<number, JsonSchema>): readonly JsonSchema[] {
  return [...new Map(Array.from(bodies.values(), body => [JSON.stringify(body), body])).values()]
}

/** Returns the place of an aggregate's events in messages. */
function placeOf({ name }: AnyAggregate): string {
  return `aggregate '${name}', the events of its stream`
}
