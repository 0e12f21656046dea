import type { SourcesLevel } from '../../fanout/sources-level.ts'
import { bulkUrls, lines, maxKeyLength } from '../bulk/bulk-route.ts'
import { bulkResultShape, bulkRunShape, bulkSummaryShape } from './bulk-schema.ts'
import type { Components } from './components.ts'
import { commonParameters } from './parameters.ts'
import { problemResponse, type ProblemStatus } from './problem-responses.ts'
import { header } from './response-headers.ts'

/** The bulk runs of an app, as the document describes them. */
export interface BulkDescription {
  /** The names of the aggregates with `bulk: true`. */
  readonly aggregates: readonly string[]
}

/** The operation ids of bulk runs. */
export const bulkIds = [
  'createBulkRun',
  'listBulkRuns',
  'readBulkRun',
  'deleteBulkRun',
  'readBulkResults',
  'pauseBulkRun',
  'resumeBulkRun',
  'cancelBulkRun',
] as const

interface Described {
  readonly id: (typeof bulkIds)[number]
  readonly summary: string
  readonly parameters?: readonly object[]
  readonly requestBody?: object
  readonly responses: Readonly<Record<number, object>>
}

/**
 * Returns the paths of bulk runs.
 *
 * @param guards The statuses of problems that the checks before the routes reply with.
 * @param level The part of the sources that callers of the service see.
 */
export function bulkPaths(
  { aggregates }: BulkDescription,
  components: Components,
  guards: readonly ProblemStatus[],
  level: SourcesLevel,
): Readonly<Record<string, object>> {
  const headers = { 'x-request-id': header('RequestId', components), 'cache-control': header('NotStored', components) }
  const json = (description: string, schema: object) => ({
    description,
    headers,
    content: { 'application/json': { schema } },
  })
  const run = components.named('BulkRun', bulkRunShape, 'bulk runs')
  const summary = components.named('BulkRunSummary', bulkSummaryShape, 'bulk runs')
  const result = components.named('BulkResult', bulkResultShape, 'bulk runs')
  const results = (description: string) => ({ description, headers, content: { [lines]: { schema: result } } })
  const operation = ({ id, summary: text, parameters = [], requestBody, responses }: Described) => ({
    operationId: id,
    summary: text,
    tags: ['Bulk runs'],
    parameters: [...parameters, ...commonParameters(components).slice(1)],
    ...(requestBody && { requestBody }),
    responses: {
      ...responses,
      ...Object.fromEntries(
        ([400, 413, 415, ...guards, ...(guards.includes(429) ? [] : [429 as const]), '4XX', 500, 503] as const).map(
          status => [status, problemResponse(status, components, level)],
        ),
      ),
    },
  })
  const parameters = [pathParameter('id', { type: 'string', pattern: '^[0-9a-f]{32}$' })]
  const change = (id: Described['id'], verb: string) => ({
    post: operation({ id, summary: `${verb} a bulk run`, parameters, responses: { 200: json('The run.', run) } }),
  })
  return {
    [bulkUrls.create]: {
      post: operation({
        id: 'createBulkRun',
        summary: 'Run an aggregate for many inputs',
        parameters: [pathParameter('aggregate', { type: 'string', enum: aggregates }), idempotencyKey],
        requestBody: {
          required: true,
          description: 'One input per line: `{ "params": {}, "query": {}, "body": {} }`.',
          content: { [lines]: { schema: { type: 'object' } } },
        },
        responses: { 202: json('The inputs are stored. `location` has the path of the run.', run) },
      }),
    },
    [bulkUrls.runs]: {
      get: operation({
        id: 'listBulkRuns',
        summary: 'List the bulk runs of the caller',
        responses: {
          200: json('The runs, the newest first.', {
            type: 'object',
            properties: { runs: { type: 'array', items: summary } },
            required: ['runs'],
          }),
        },
      }),
    },
    [bulkUrls.run]: {
      get: operation({
        id: 'readBulkRun',
        summary: 'Read the progress of a bulk run',
        parameters,
        responses: { 200: json('The run.', run) },
      }),
      delete: operation({
        id: 'deleteBulkRun',
        summary: 'Delete a bulk run that has ended',
        parameters,
        responses: { 204: { description: 'The run, its inputs and its results are removed.', headers } },
      }),
    },
    [bulkUrls.results]: {
      get: operation({
        id: 'readBulkResults',
        summary: 'Read the results of a bulk run',
        parameters: [...parameters, range],
        responses: {
          200: results('The results so far, in the order of the inputs.'),
          206: results('The bytes of the range.'),
        },
      }),
    },
    [bulkUrls.pause]: change('pauseBulkRun', 'Pause'),
    [bulkUrls.resume]: change('resumeBulkRun', 'Resume'),
    [bulkUrls.cancel]: change('cancelBulkRun', 'Cancel'),
  }
}

function pathParameter(name: string, schema: object): object {
  return { name, in: 'path', required: true, schema }
}

const idempotencyKey = {
  name: 'idempotency-key',
  in: 'header',
  description: 'A repeated request with the same key and the same inputs returns the same run.',
  schema: { type: 'string', minLength: 1, maxLength: maxKeyLength },
}

const range = {
  name: 'range',
  in: 'header',
  description: 'One range of bytes, such as `bytes=1000-` for the results after the first 1000 bytes.',
  schema: { type: 'string' },
}
