import type { z } from 'zod'
import type { OfferedAggregate, OfferedOperation, Offered } from '../../batch/offer.ts'
import { inputFieldsOf } from '../../upstream/call/input-parts.ts'
import type { Components } from './components.ts'
import { fieldsOf, type Field } from './parameters.ts'
import type { JsonSchema } from './schema-types.ts'

/** Returns the schema of the input of a call of a batch, without references. */
export function batchInput(offered: Offered, components: Components): JsonSchema {
  return offered.aggregate === undefined ? operationInput(offered, components) : aggregateInput(offered, components)
}

function operationInput({ name, spec }: OfferedOperation, components: Components): JsonSchema {
  // A key has any form: the operation makes a request of several keys.
  if (spec.keyBatch !== undefined) return { description: 'One key of the operation.' }
  const where = (part: string) => `operation '${name}', ${part}`
  const { params, query, body, headers } = spec
  const fields: Field[] = [
    ...(partFields(params, where('params'), components) ?? []),
    ...(partFields(query, where('query'), components) ?? []),
    ...whole('body', body, where('body'), components),
    ...headersField(headers?.schema, where('headers'), components),
  ]
  return objectOf(fields, inputFieldsOf(spec) === undefined)
}

function aggregateInput({ name, aggregate }: OfferedAggregate, components: Components): JsonSchema {
  const where = (part: string) => `aggregate '${name}', ${part}`
  const { params, query, body } = aggregate.route
  const texts = (part: 'params' | 'query', schema: z.ZodType | undefined): Field[] => {
    if (schema === undefined) return []
    const fields = partFields(schema, where(part), components)
    const object = objectOf(fields ?? [], true)
    return [{ name: part, schema: object, required: object['required'] !== undefined }]
  }
  return objectOf([
    ...texts('params', params),
    ...texts('query', query),
    ...whole('body', body, where('body'), components),
  ])
}

/** Returns the fields of a part; undefined if their names are not known. */
function partFields(schema: z.ZodType | undefined, where: string, components: Components): Field[] | undefined {
  return schema === undefined ? [] : fieldsOf(components.expanded(schema, 'input', where), undefined)
}

/** Returns the field of a part that is one value. */
function whole(name: string, schema: z.ZodType | undefined, where: string, components: Components): Field[] {
  if (schema === undefined) return []
  return [{ name, schema: components.schema(schema, 'input', where), required: schema._zod.optin !== 'optional' }]
}

/** Returns the field of the headers. It is required if one of the headers is. */
function headersField(schema: z.ZodType | undefined, where: string, components: Components): Field[] {
  const fields = schema === undefined ? [] : (partFields(schema, where, components) ?? [])
  const required = fields.some(field => field.required)
  return whole('headers', schema, where, components).map(field => ({ ...field, required }))
}

function objectOf(fields: readonly Field[], isOpen = false): JsonSchema {
  const required = fields.filter(field => field.required).map(({ name }) => name)
  return {
    type: 'object',
    properties: Object.fromEntries(fields.map(({ name, schema }) => [name, schema])),
    ...(required.length > 0 && { required }),
    ...(!isOpen && { additionalProperties: false }),
  }
}
