import type { z } from 'zod'
import type { BatchOffer } from '../../batch/offer.ts'
import type { SourcesLevel } from '../../fanout/sources-level.ts'
import { BatchPlan, resultShapes } from './batch-schema.ts'
import type { Components } from './components.ts'
import type { JsonSchema } from './schema-types.ts'
import { exampleRun, type ExampleEvent } from './stream-content.ts'
import { StreamHeaders, streamSchemas } from './stream-schema.ts'

const place = 'the events of batches'

/**
 * Returns the schema of the events of the stream of a batch.
 *
 * @param reply The schema of the plain reply.
 */
export function batchEvents(
  offer: BatchOffer,
  reply: JsonSchema,
  level: SourcesLevel,
  components: Components,
): JsonSchema {
  const shared = (schema: z.ZodType) => components.schema(schema, 'output', place)
  const constant = (event: string) => ({ type: 'string', const: event })
  const events = {
    plan: shared(BatchPlan),
    call: components.named(
      'BatchCallEvent',
      {
        description: 'The end of a call. The order of these events is that of arrival.',
        oneOf: resultShapes(offer, level, components).map(({ shape }) => ({
          ...shape,
          properties: { event: constant('call'), ...shape.properties },
          required: ['event', ...shape.required],
        })),
      },
      place,
    ),
    reply: components.named(
      'BatchReplyEvent',
      {
        type: 'object',
        description: 'The last event of a batch. Its body is that of the plain reply.',
        properties: {
          event: constant('reply'),
          status: { type: 'integer', const: 200 },
          headers: shared(StreamHeaders),
          body: reply,
        },
        required: ['event', 'status', 'headers', 'body'],
      },
      place,
    ),
    problem: shared(streamSchemas[level].problem),
  }
  return components.named(
    'BatchEvent',
    {
      description: 'An event of the stream of a batch. The last one is `reply` or `problem`.',
      oneOf: Object.values(events),
      discriminator: {
        propertyName: 'event',
        mapping: Object.fromEntries(Object.entries(events).map(([event, { $ref }]) => [event, $ref])),
      },
    },
    place,
  )
}

/** Returns the events of the stream of the example of a batch; none without an example. */
export function batchEventsExample(answer: object | undefined, deadline: number): readonly ExampleEvent[] {
  if (answer === undefined) return []
  const { results } = answer as { readonly results: readonly { readonly id: string }[] }
  return [
    { event: 'plan', run: exampleRun, deadline, calls: results.map(({ id }) => ({ id, needs: [] })) },
    ...results.map(result => ({ event: 'call', ...result })),
    {
      event: 'reply',
      status: 200,
      headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' },
      body: answer,
    },
  ]
}
