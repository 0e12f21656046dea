import type { JsonSchema } from './schema-types.ts'

const count = (description: string) => ({ type: 'integer', minimum: 0, description })
const time = (description: string) => ({ type: 'string', format: 'date-time', description })

const summary = {
  id: { type: 'string', pattern: '^[0-9a-f]{32}$' },
  aggregate: { type: 'string' },
  state: { type: 'string', enum: ['running', 'paused', 'completed', 'cancelled'] },
  items: count('The number of inputs.'),
  createdAt: time('The time at which all inputs were stored.'),
  endedAt: time('The time of the end; absent before it.'),
  expiresAt: time('The time from which the run is removed; absent before its end.'),
  results: { type: 'string', description: 'The path of the results.' },
}

const required = ['id', 'aggregate', 'state', 'items', 'createdAt', 'results']

/** A run in a list. */
export const bulkSummaryShape: JsonSchema = { type: 'object', properties: summary, required }

/** A run with its progress. */
export const bulkRunShape: JsonSchema = {
  type: 'object',
  properties: {
    ...summary,
    done: count('The number of items with a result.'),
    succeeded: count('The number of complete replies.'),
    partial: count('The number of replies that are not complete.'),
    failed: count('The number of failures.'),
  },
  required: [...required, 'done', 'succeeded', 'partial', 'failed'],
}

/** One line of the results. */
export const bulkResultShape: JsonSchema = {
  type: 'object',
  properties: {
    index: count('The index of the input, from 0. Blank lines of the body do not count.'),
    status: { type: 'integer', minimum: 200, maximum: 599, description: 'The status of the reply or of the problem.' },
    complete: { type: 'boolean', description: 'Whether the reply is complete; absent for a failure.' },
    value: { description: 'The data of the reply; absent for a failure.' },
    sources: { type: 'object', description: 'How the steps ended; absent for a complete reply and for a failure.' },
    problem: { type: 'object', description: 'The problem (RFC 9457); absent for a reply.' },
  },
  required: ['index', 'status'],
}
