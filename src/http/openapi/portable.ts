import type { JsonSchema } from './schema-types.ts'

/** The keywords that OpenAPI 3.0 does not have. `lowered` replaces some of them. */
const omitted = [
  'propertyNames',
  'prefixItems',
  'patternProperties',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'contentEncoding',
  'contentMediaType',
  'contains',
  'dependentRequired',
  'discriminator',
  'if',
  'then',
  'else',
]

/**
 * Returns a JSON Schema (draft 2020-12) in keywords that mean the same in OpenAPI 3.0 and 3.1, with bigints as numbers.
 * The type `null`, lists of types, `const` and `examples` remain: `@fastify/swagger` writes them for its version.
 *
 * @param isRead True if `@fastify/swagger` reads `examples` at this place. It reads them only in properties and items.
 */
export function portable(schema: JsonSchema, isRead = true): JsonSchema {
  const { examples, ...rest } = lowered(schema)
  const draft = Object.fromEntries(
    Object.entries(rest)
      .filter(([keyword, value]) => !omitted.includes(keyword) && value !== undefined)
      .map(([keyword, value]) => [keyword, withParts(keyword, value, isRead)]),
  )
  if (!Array.isArray(examples) || examples.length === 0) return draft
  return isRead ? { ...draft, examples: examples.map(asText) } : { ...draft, example: asText(examples[0]) }
}

function withParts(keyword: string, value: unknown, isRead: boolean): unknown {
  switch (keyword) {
    case 'properties':
      return Object.fromEntries(
        Object.entries(value as Record<string, JsonSchema>).map(([name, each]) => [name, portable(each, isRead)]),
      )
    case 'items':
      return typeof value === 'object' ? portable(value as JsonSchema, isRead) : value
    case 'additionalProperties':
    case 'not':
      return typeof value === 'object' ? portable(value as JsonSchema, false) : value
    case 'allOf':
    case 'anyOf':
    case 'oneOf':
      return (value as readonly JsonSchema[]).map(each => portable(each, false))
    default:
      return asNumber(value)
  }
}

interface Lowered {
  readonly type?: unknown
  readonly prefixItems?: readonly JsonSchema[]
  readonly items?: JsonSchema | false
  readonly patternProperties?: Readonly<Record<string, JsonSchema>>
  readonly exclusiveMinimum?: number | bigint
  readonly exclusiveMaximum?: number | bigint
  readonly allOf?: readonly JsonSchema[]
}

/**
 * Returns the schema in which keywords that OpenAPI 3.0 does not have are replaced by equivalent keywords, if there are
 * any.
 */
function lowered(schema: JsonSchema): JsonSchema {
  const { prefixItems, items, patternProperties }: Lowered = schema
  const draft: Record<string, unknown> = { ...schema }
  if (prefixItems !== undefined) draft['items'] = anyOf([...prefixItems, ...(items ? [items] : [])])
  if (patternProperties !== undefined) draft['additionalProperties'] = anyOf(Object.values(patternProperties))
  return { ...draft, ...bounds(schema), ...nullableEnum(schema) }
}

function anyOf(schemas: readonly JsonSchema[]): JsonSchema {
  const texts = new Set<string>()
  const different = schemas.filter(each => {
    const text = JSON.stringify(asNumber(each))
    return texts.has(text) ? false : texts.add(text)
  })
  return different.length === 1 ? (different[0] as JsonSchema) : different.length === 0 ? {} : { anyOf: different }
}

/**
 * Returns fixed values or `null` as one list of values. OpenAPI 3.0 writes `nullable` next to the type of the values,
 * and then requires `null` in their list too.
 */
function nullableEnum({ anyOf: options }: { readonly anyOf?: readonly JsonSchema[] }): JsonSchema {
  const [one, other] = options ?? []
  if (options?.length !== 2 || one === undefined || other?.['type'] !== 'null') return {}
  const { const: value, enum: values, type, ...rest } = one
  const known = value === undefined ? values : [value]
  if (!Array.isArray(known) || typeof type !== 'string') return {}
  return { ...rest, anyOf: undefined, type: [type, 'null'], enum: [...(known as readonly unknown[]), null] }
}

/**
 * Returns exclusive bounds as inclusive bounds that exclude the limit itself. Exclusive bounds are numbers in 3.1 and
 * flags in 3.0.
 */
function bounds({ type, exclusiveMinimum: above, exclusiveMaximum: below, allOf }: Lowered): JsonSchema {
  if (above === undefined && below === undefined) return {}
  if (type === 'integer')
    return {
      ...(above !== undefined && { minimum: next(above, 1) }),
      ...(below !== undefined && { maximum: next(below, -1) }),
    }
  const limits = [above, below].filter(limit => limit !== undefined)
  return {
    ...(above !== undefined && { minimum: above }),
    ...(below !== undefined && { maximum: below }),
    allOf: [...(allOf ?? []), { not: { enum: limits } }],
  }
}

/** Returns the next integer after a limit, or the last integer before it. */
function next(limit: number | bigint, step: 1 | -1): number | bigint {
  if (typeof limit === 'bigint') return limit + BigInt(step)
  return (step === 1 ? Math.floor(limit) : Math.ceil(limit)) + step
}

/** Returns the same JSON with each bigint as the nearest number, which is the value that a JavaScript program reads. */
function asNumber(value: unknown): unknown {
  return mapBigints(value, Number)
}

/** Returns the same JSON with each bigint as a number, or as text if the number would have different digits. */
function asText(value: unknown): unknown {
  return mapBigints(value, each => (Number.isSafeInteger(Number(each)) ? Number(each) : String(each)))
}

function mapBigints(value: unknown, to: (each: bigint) => unknown): unknown {
  if (typeof value === 'bigint') return to(value)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(each => mapBigints(each, to))
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, mapBigints(each, to)]))
}
