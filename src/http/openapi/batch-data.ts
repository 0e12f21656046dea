import type { Offered, OfferedOperation } from '../../batch/offer.ts'
import { orNull } from './absent-value.ts'
import type { Components } from './components.ts'
import { dataSchema } from './reply-schema.ts'
import type { JsonSchema } from './schema-types.ts'

/** Returns the schema of the data of a call of a batch. */
export function batchData(offered: Offered, components: Components): JsonSchema {
  return offered.aggregate === undefined
    ? operationData(offered, components)
    : dataSchema(offered.aggregate, components)
}

/** Returns the schema of the value of a call. It is the value that a step of an aggregate gets. */
function operationData({ name, spec }: OfferedOperation, components: Components): JsonSchema {
  const { keyBatch, responses, responseHeaders, output, allowEmpty, nullOn } = spec
  // The author's function picks the value of a key.
  if (keyBatch !== undefined) return { description: 'The value of the key.' }
  const where = (part: string) => `operation '${name}', ${part}`
  const headers = responseHeaders && components.schema(responseHeaders, 'output', where('responseHeaders'))
  if (responses !== undefined)
    return {
      anyOf: Array.from(responses, ([status, { schema }]) => ({
        type: 'object',
        properties: {
          status: { type: 'integer', const: status },
          body: components.schema(schema, 'output', where(`responses[${status}]`)),
          ...(headers !== undefined && { headers }),
        },
        required: ['status', 'body', ...(headers === undefined ? [] : ['headers'])],
      })),
    }
  const answer = components.schema(output, 'output', where('output'))
  const body = allowEmpty ? orNull(answer) : answer
  const value =
    headers === undefined ? body : { type: 'object', properties: { body, headers }, required: ['body', 'headers'] }
  return nullOn.length > 0 ? orNull(value) : value
}
