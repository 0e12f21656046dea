import { z } from 'zod'
import type { BatchOffer, Offered } from '../../batch/offer.ts'
import type { SourcesLevel } from '../../fanout/sources-level.ts'
import { batchData } from './batch-data.ts'
import { batchInput } from './batch-input.ts'
import type { Components } from './components.ts'
import { problemBodies } from './declared-problems.ts'
import { componentName } from './operation-id.ts'
import { problemSchemas } from './problem-schema.ts'
import { envelopeOf } from './envelope.ts'
import { sourcesSchema } from './reply-schema.ts'
import type { JsonSchema } from './schema-types.ts'
import { withReferences } from './with-references.ts'

const place = 'the batches'

const BatchReference = z
  .strictObject({
    $ref: z
      .string()
      .describe('The id of the call, `#`, and a JSON Pointer into its result (RFC 6901), which begins with `/data`.')
      .meta({ pattern: '^[A-Za-z0-9_-]{1,64}#/data(/.*)?$', examples: ['a#/data/0/id'] }),
  })
  .describe('A reference: it is replaced by a value in the result of another call. The other call is made first.')
  .meta({ id: 'BatchReference' })

/** The schema of the first event of the stream of a batch. */
export const BatchPlan = z
  .object({
    event: z.literal('plan'),
    run: z.uuid().describe('The id of the run.'),
    deadline: z.number().min(0).describe('The limit on the batch, in ms from its start.'),
    calls: z
      .array(z.object({ id: z.string(), needs: z.array(z.string()) }))
      .describe('The calls, with the ids of the calls that each of them needs.'),
  })
  .describe('The first event of the stream of a batch. It is sent before a call starts.')
  .meta({ id: 'BatchPlan' })

/** The schemas of batches whose ids belong to the service. */
export const batchSchemas: readonly z.ZodType[] = [BatchReference, BatchPlan]

const id = { type: 'string', pattern: '^[A-Za-z0-9_-]{1,64}$', description: 'The id of the call in its batch.' }

/** Returns the schema of the body of a batch. */
export function batchRequest(offer: BatchOffer, maxCalls: number, components: Components): JsonSchema {
  const reference = components.schema(BatchReference, 'input', place)
  const calls = Array.from(
    offer.values(),
    offered => [offered.name, callSchema(offered, reference, components)] as const,
  )
  const call = components.named(
    'BatchCall',
    {
      description: 'A call of a batch. `operation` determines its input.',
      oneOf: calls.map(([, schema]) => schema),
      discriminator: {
        propertyName: 'operation',
        mapping: Object.fromEntries(calls.map(([name, { $ref }]) => [name, $ref])),
      },
    },
    place,
  )
  return components.named(
    'BatchRequest',
    {
      type: 'object',
      description: 'A batch: calls of operations and aggregates.',
      properties: {
        calls: { type: 'array', items: call, minItems: 1, maxItems: maxCalls },
        deadlineMs: {
          type: 'integer',
          description: 'The limit on the whole batch, in ms. It can shorten the limit of the service.',
          minimum: 1,
          maximum: 999_999_999,
        },
      },
      required: ['calls'],
      additionalProperties: false,
    },
    place,
  )
}

function callSchema(offered: Offered, reference: JsonSchema, components: Components): JsonSchema {
  const { name, aggregate } = offered
  const input = withReferences(batchInput(offered, components), reference)
  const what =
    aggregate === undefined ? `A call of \`${name}\`.` : (aggregate.route.summary ?? `A call of \`${name}\`.`)
  return components.named(
    `${componentName(name)}BatchCall`,
    {
      type: 'object',
      description: what,
      properties: {
        id,
        operation: { type: 'string', const: name },
        input,
        needs: {
          type: 'array',
          description: 'The ids of other calls that must have ended before.',
          items: { type: 'string' },
        },
        optional: {
          type: 'boolean',
          description: 'True if calls that only name this one in `needs` are made although it fails.',
        },
      },
      required: ['id', 'operation', ...(input['required'] === undefined ? [] : ['input'])],
      additionalProperties: false,
    },
    place,
  )
}

/** Returns the schema of the result of one call. */
export function batchResult(offer: BatchOffer, level: SourcesLevel, components: Components): JsonSchema {
  return components.named(
    'BatchResult',
    {
      description: 'The result of a call of a batch: its answer, or its failure.',
      oneOf: resultShapes(offer, level, components).map(({ name, shape }) => components.named(name, shape, place)),
    },
    place,
  )
}

/** A schema of an object. */
interface ObjectShape extends JsonSchema {
  readonly properties: Readonly<Record<string, JsonSchema>>
  readonly required: readonly string[]
}

/** Returns the schemas of the results, with the names of their components. */
export function resultShapes(
  offer: BatchOffer,
  level: SourcesLevel,
  components: Components,
): readonly { readonly name: string; readonly shape: ObjectShape }[] {
  const offered = [...offer.values()]
  return [
    ...offered.map(each => ({
      name: `${componentName(each.name)}BatchAnswer`,
      shape: answerShape(each, level, components),
    })),
    { name: 'BatchFailure', shape: failureShape(offered, level, components) },
  ]
}

function answerShape(offered: Offered, service: SourcesLevel, components: Components): ObjectShape {
  const { name, aggregate } = offered
  const level = aggregate?.route.sources ?? service
  const data = batchData(offered, components)
  const sources = aggregate !== undefined && level !== 'none' && sourcesSchema(aggregate, level, components)
  const { properties, required } =
    aggregate === undefined ? { properties: { data }, required: ['data'] } : envelopeOf(data, sources)
  return {
    type: 'object',
    description: `The answer to a call of \`${name}\`.`,
    properties: {
      id,
      operation: { type: 'string', const: name },
      state: { type: 'string', enum: aggregate === undefined ? ['ok', 'stale'] : ['ok', 'partial'] },
      status: { type: 'integer', enum: aggregate === undefined ? [200] : aggregate.statuses },
      ...(properties as ObjectShape['properties']),
    },
    required: ['id', 'operation', 'state', 'status', ...(required as readonly string[])],
  }
}

function failureShape(offered: readonly Offered[], service: SourcesLevel, components: Components): ObjectShape {
  const aggregates = offered.flatMap(({ aggregate }) => aggregate ?? [])
  const levels = new Set([service, ...aggregates.map(({ route }) => route.sources ?? service)])
  const own = Array.from(levels, level => components.schema(problemSchemas[level].own, 'output', 'the problems'))
  const declared = aggregates.flatMap(each => [
    ...problemBodies(each, each.route.sources ?? service, components).values(),
  ])
  const problems = [...new Map([...own, ...declared].map(body => [JSON.stringify(body), body])).values()]
  return {
    type: 'object',
    description: 'A call that failed, or that was not sent because of a call that it needs.',
    properties: {
      id,
      operation: { type: 'string', enum: offered.map(({ name }) => name) },
      state: { type: 'string', enum: ['failed', 'notSent'] },
      status: { type: 'integer', minimum: 400, maximum: 599 },
      problem: problems.length === 1 ? (problems[0] as JsonSchema) : { anyOf: problems },
    },
    required: ['id', 'operation', 'state', 'status', 'problem'],
  }
}

/** Returns the schema of the reply to a batch. */
export function batchReply(result: JsonSchema, components: Components): JsonSchema {
  return components.named(
    'BatchReply',
    {
      type: 'object',
      description: 'The reply to a batch.',
      properties: {
        results: { type: 'array', description: 'The results, in the order of the calls.', items: result },
        complete: { type: 'boolean', description: 'Whether every result is `ok`.' },
        retryAfter: {
          type: 'integer',
          description: 'The longest `retry-after` of the problems, in seconds; absent if no problem has one.',
          minimum: 1,
        },
      },
      required: ['results', 'complete'],
    },
    place,
  )
}
