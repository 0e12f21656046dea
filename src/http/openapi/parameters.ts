import { isDeepStrictEqual } from 'node:util'
import type { AnyAggregate } from '../../fanout/aggregate.ts'
import type { HeaderFields } from '../../core/schema/header-fields.ts'
import { parameterNames } from '../routing/path-template.ts'
import type { Components } from './components.ts'
import type { JsonSchema } from './schema-types.ts'

const shared = {
  RequestTimeout: {
    name: 'x-request-timeout-ms',
    in: 'header',
    description:
      'The deadline of the reply, in ms. It can shorten the deadline of the operation ' +
      'and cannot extend it. A value below 10 counts as 10.',
    schema: { type: 'integer', minimum: 0, maximum: 999_999_999 },
  },
  RequestId: {
    name: 'x-request-id',
    in: 'header',
    description: 'An id for this request, which the reply and the log repeat. An invalid id is replaced.',
    schema: { type: 'string', pattern: '^[\\w.:-]{1,128}$' },
  },
  IfNoneMatch: {
    name: 'if-none-match',
    in: 'header',
    description: 'The `etag` of a reply that the caller has. If the reply has not changed, the status is 304.',
    schema: { type: 'string' },
  },
  LastEventId: {
    name: 'last-event-id',
    in: 'header',
    description:
      'The id of the last event that the caller has, which an `EventSource` sends when it reconnects. A stream that ' +
      'was cut is repeated once. For a stream that has ended the status is 204.',
    schema: { type: 'string' },
  },
} as const

/** Returns the parameters that every operation has. */
export function commonParameters(components: Components): readonly object[] {
  const common = ['RequestTimeout', 'RequestId'] as const
  return common.map(key => components.shared('parameters', key, () => shared[key]))
}

/**
 * Returns the parameters of an operation: first the parameters from its schemas, then the common parameters.
 *
 * @param names The names of the path's parameters, in order.
 */
export function parametersOf(
  { name, route }: AnyAggregate,
  names: readonly string[],
  components: Components,
): readonly object[] {
  const own = (['params', 'query', 'headers'] as const).flatMap(part => {
    const schema = route[part]
    const where = `aggregate '${name}', ${part}`
    if (schema === undefined) return []
    const shape = components.expanded(schema, 'input', where)
    const fields = fieldsOf(shape, part === 'headers' ? route.headerFields : undefined)
    if (fields !== undefined) return fields.map(field => parameter(part, field))
    if (part === 'query') return [openQuery(shape)]
    throw new TypeError(`${where}: must be a z.object(), because the document lists each parameter by its name`)
  })
  const templated = parameterNames(route.url)
  const path = names.map((as, index) => {
    const declared = own.find(each => each.in === 'path' && each.name === templated[index])
    return { ...(declared ?? { in: 'path', schema: { type: 'string' } }), name: as, required: true }
  })
  const others = own.filter(each => each.in !== 'path')
  const common = (
    [
      'RequestTimeout',
      'RequestId',
      ...(route.stream && route.method === 'GET' ? (['LastEventId'] as const) : []),
      ...(route.cacheControl === undefined ? [] : (['IfNoneMatch'] as const)),
    ] as const
  ).filter(key => !others.some(each => each.in === 'header' && each.name.toLowerCase() === shared[key].name))
  return [...path, ...others, ...common.map(key => components.shared('parameters', key, () => shared[key]))]
}

/** A field of the query, the path or the headers. */
export interface Field {
  readonly name: string
  readonly schema: JsonSchema
  readonly required: boolean
}

const places = { params: 'path', query: 'query', headers: 'header' } as const

function parameter(part: keyof typeof places, { name, schema: { description, examples, ...schema }, required }: Field) {
  return {
    name,
    in: places[part],
    ...(description !== undefined && { description }),
    ...(required && { required }),
    schema,
    ...(Array.isArray(examples) && examples.length > 0 && { example: examples[0] as unknown }),
  }
}

/**
 * Returns one parameter for a query whose field names are not known. Each field of its value is a parameter in the URL.
 */
function openQuery(shape: JsonSchema) {
  const { schema, ...rest } = parameter('query', { name: 'query', schema: shape, required: false })
  // If the values of the schema are not objects, a function before it makes them from the query.
  const own = mayBeObject(schema) ? schema : {}
  const isClosed = ['additionalProperties', 'allOf', 'anyOf', 'oneOf'].some(keyword => own[keyword] !== undefined)
  return {
    ...rest,
    style: 'form',
    explode: true,
    schema: { ...own, type: 'object', ...(!isClosed && { additionalProperties: true }) },
  }
}

/** Returns whether a value of a schema may be an object, as the value of a query always is. */
function mayBeObject({ type }: JsonSchema): boolean {
  return type === undefined || (Array.isArray(type) ? type.includes('object') : type === 'object')
}

interface PartSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly allOf?: readonly JsonSchema[]
  readonly anyOf?: readonly JsonSchema[]
  readonly oneOf?: readonly JsonSchema[]
}

/**
 * Returns the fields of an object schema, or of the objects of an intersection or union; undefined for a schema of
 * other values, or of objects whose field names are not known. Headers need only names, so a record with known keys is
 * enough.
 */
export function fieldsOf(schema: JsonSchema, headers: HeaderFields | undefined): Field[] | undefined {
  const { properties, required = [], allOf, anyOf, oneOf } = schema as PartSchema
  if (allOf !== undefined)
    return merged(
      'allOf',
      allOf.map(each => fieldsOf(each, headers)),
    )
  const options = anyOf ?? oneOf
  if (options?.some(mayBeObject))
    return merged(
      'anyOf',
      options.filter(mayBeObject).map(each => fieldsOf(each, headers)),
    )
  if (properties === undefined && headers !== undefined)
    return Array.from(headers.spelled.values(), name => ({ name, schema: { type: 'string' }, required: false }))
  if (properties === undefined) return undefined
  return Object.entries(properties).map(([name, field]) => ({ name, schema: field, required: required.includes(name) }))
}

/** Returns one field per name. A field of a union is required only if every option requires it. */
function merged(how: 'allOf' | 'anyOf', options: readonly (readonly Field[] | undefined)[]): Field[] | undefined {
  const parts = options.filter(option => option !== undefined)
  if (parts.length < options.length) return undefined
  return [...new Set(parts.flat().map(({ name }) => name))].map(name => {
    const fields = parts.flatMap(part => part.find(field => field.name === name) ?? [])
    const schemas = fields
      .map(({ schema }) => schema)
      .filter((schema, index, all) => all.findIndex(other => isDeepStrictEqual(other, schema)) === index)
    const isRequired =
      how === 'allOf'
        ? fields.some(({ required }) => required)
        : fields.length === parts.length && fields.every(({ required }) => required)
    return {
      name,
      schema: schemas.length === 1 ? (schemas[0] as JsonSchema) : { [how]: schemas },
      required: isRequired,
    }
  })
}
