import type { BatchOffer, Offered } from '../../batch/offer.ts'
import type { SourcesLevel } from '../../fanout/sources-level.ts'
import { batchEvents, batchEventsExample } from './batch-events.ts'
import { batchReply, batchRequest, batchResult } from './batch-schema.ts'
import { batchExample } from './batch-example.ts'
import type { Components } from './components.ts'
import { problemResponse, type ProblemStatus } from './problem-responses.ts'
import { commonParameters } from './parameters.ts'
import { header } from './response-headers.ts'
import { streamContent } from './stream-content.ts'
import type { OpenapiVersion } from './version.ts'

/** The batches of an app, as the document describes them. */
export interface BatchDescription {
  readonly offer: BatchOffer
  /** The largest number of calls of one batch. */
  readonly maxCalls: number
  /** The limit on a whole batch, in ms. */
  readonly deadline: number
}

/** The operation ids of batches, by method. */
export const batchIds = { post: 'batch', query: 'batchQuery' } as const

/**
 * Returns the path of batches. Only OpenAPI 3.2 has the method QUERY.
 *
 * @param guards The statuses of problems that the checks before the calls reply with.
 * @param level The part of the sources that callers of the service see.
 */
export function batchPath(
  description: BatchDescription,
  components: Components,
  guards: readonly ProblemStatus[],
  level: SourcesLevel,
  version: OpenapiVersion,
): Record<string, object> {
  const { offer, maxCalls } = description
  const reply = batchReply(batchResult(offer, level, components), components)
  const { request, answer } = batchExample(offer, level)
  const streams = {
    name: 'Batch',
    event: batchEvents(offer, reply, level, components),
    example: batchEventsExample(answer, description.deadline),
  }
  const operation = (method: keyof typeof batchIds) => ({
    operationId: batchIds[method],
    summary: method === 'post' ? 'Several calls in one request' : 'Several calls that only read, in one request',
    description: describe(description, method, version),
    tags: ['Batches'],
    parameters: commonParameters(components),
    requestBody: {
      required: true,
      content: {
        'application/json': { schema: batchRequest(offer, maxCalls, components), ...(request && { example: request }) },
      },
    },
    responses: {
      200: {
        description:
          'The results of the calls. The status is 200 although calls have failed.\n\nIf `accept` asks for a stream, ' +
          'each result is an event when its call ends, and the last event has this reply.',
        headers: {
          'x-request-id': header('RequestId', components),
          'cache-control': header('ReplyNotStored', components),
          'accept-query': header('AcceptQuery', components),
        },
        content: {
          'application/json': { schema: reply, ...(answer && { example: answer }) },
          ...streamContent(version, streams, components),
        },
      },
      ...Object.fromEntries(
        ([400, 406, 413, 415, ...guards, '4XX', 500, 503] as const).map(status => [
          status,
          problemResponse(status, components, level),
        ]),
      ),
    },
  })
  return { post: operation('post'), ...(version === '3.2' && { query: operation('query') }) }
}

function describe(
  { offer, deadline }: BatchDescription,
  method: keyof typeof batchIds,
  version: OpenapiVersion,
): string {
  const changing = Array.from(offer.values()).filter(each => !isReading(each))
  const names = changing.map(({ name }) => `\`${name}\``).join(', ')
  const facts = [
    'Each call names an operation or an aggregate, and starts when the calls that it needs have ended.',
    'In an `input`, `{ "$ref": "a#/data/0/id" }` is replaced by a value in the result of the call `a`.',
    `Deadline: ${deadline} ms.`,
    ...(method === 'query' && names !== '' ? [`These calls may change something, and are refused: ${names}.`] : []),
    ...(version === '3.1' ? ['A batch that only reads can also be sent with the method QUERY (RFC 10008).'] : []),
  ]
  return facts.join('\n')
}

function isReading({ aggregate, spec }: Offered): boolean {
  return aggregate === undefined ? spec.safe : aggregate.route.method === 'GET'
}
