import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { writeJson } from '../../core/json/write.ts'
import { integerForm, revive, withoutBigints } from './bigint-schema.ts'

/** The request side or the response side. A schema with defaults or transforms has a different shape on each. */
export type Side = 'input' | 'output'

export type JsonSchema = Readonly<Record<string, unknown>>

/** A JSON Schema with its named schemas in `$defs`. */
export interface NamedParts {
  readonly root: JsonSchema
  readonly $defs: Readonly<Record<string, JsonSchema>>
}

type Draft = Record<string, unknown>

/** The keywords of the output, in this order. Other fields of a schema's metadata are dropped. */
const keywords = [
  '$ref',
  '$defs',
  'title',
  'description',
  'deprecated',
  'readOnly',
  'writeOnly',
  'type',
  'const',
  'enum',
  'format',
  'pattern',
  'contentEncoding',
  'contentMediaType',
  'minLength',
  'maxLength',
  'minimum',
  'exclusiveMinimum',
  'maximum',
  'exclusiveMaximum',
  'multipleOf',
  'default',
  'properties',
  'required',
  'patternProperties',
  'propertyNames',
  'additionalProperties',
  'minProperties',
  'maxProperties',
  'dependentRequired',
  'items',
  'prefixItems',
  'contains',
  'minItems',
  'maxItems',
  'uniqueItems',
  'allOf',
  'anyOf',
  'oneOf',
  'discriminator',
  'not',
  'if',
  'then',
  'else',
  'examples',
]

/** The keywords whose values may hold bigints. */
const withData = new Set([
  'const',
  'enum',
  'minimum',
  'exclusiveMinimum',
  'maximum',
  'exclusiveMaximum',
  'multipleOf',
  'default',
  'examples',
])

/** Patterns longer than this are dropped if the schema has a format, which says the same. */
const longPattern = 60

/**
 * Returns a zod schema as JSON Schema (draft 2020-12). Throws a `TypeError` with the place of a type that JSON does not
 * have.
 */
export function jsonSchema(schema: z.ZodType, side: Side, where: string): NamedParts {
  let written: unknown
  try {
    written = z.toJSONSchema(schema, {
      io: side,
      override: ({ zodSchema, jsonSchema: draft }) => tidy(zodSchema, draft as Draft, side),
      unrepresentable: ({ zodSchema, path }) => wireForm(zodSchema, side) ?? refuse(zodSchema, path, where),
    })
  } catch (error) {
    throw error instanceof TypeError && error.message.startsWith(where)
      ? error
      : new TypeError(`${where}: ${(error as Error).message}`, { cause: error })
  }
  // The conversion to text drops everything that is not JSON.
  const {
    $schema: _,
    $defs = {},
    ...root
  } = JSON.parse(JSON.stringify(written), revive) as { $schema: string; $defs?: Record<string, JsonSchema> }
  const isNameless = writeJson(root).includes('"$ref":"#"') || Object.keys($defs).some(id => id.startsWith('__'))
  if (isNameless) throw new TypeError(`${where}: a schema that holds itself needs a name: add .meta({ id: 'Name' })`)
  return { root, $defs }
}

/** Removes keywords that are of no use to a reader of the schema. */
function tidy(schema: z.core.$ZodType, draft: Draft, side: Side): void {
  const { def } = schema._zod as {
    readonly def: {
      readonly type: string
      readonly format?: string
      readonly catchall?: unknown
      readonly discriminator?: string
    }
  }
  if (draft['minimum'] === Number.MIN_SAFE_INTEGER) delete draft['minimum']
  if (draft['maximum'] === Number.MAX_SAFE_INTEGER) delete draft['maximum']
  if (draft['format'] !== undefined && typeof draft['pattern'] === 'string' && draft['pattern'].length > longPattern)
    delete draft['pattern']
  // A reply may gain fields, and its defaults are applied already.
  if (def.type === 'object' && def.catchall === undefined) delete draft['additionalProperties']
  if (side === 'output') delete draft['default']
  // `.readonly()` freezes the value here; in OpenAPI, `readOnly` means that a request must not contain the field.
  if (def.type === 'readonly') delete draft['readOnly']
  if (def.type === 'record' && isDeepStrictEqual(draft['propertyNames'], { type: 'string' }))
    delete draft['propertyNames']
  if (def.discriminator !== undefined) discriminate(schema, def.discriminator, draft)

  const written = { ...draft }
  for (const key of Object.keys(draft)) delete draft[key]
  for (const key of keywords)
    if (written[key] !== undefined) draft[key] = withData.has(key) ? withoutBigints(written[key]) : written[key]
}

/** Adds the discriminator's mapping of values to options, if every option has a name. */
function discriminate(schema: z.core.$ZodType, propertyName: string, draft: Draft): void {
  const { options } = schema._zod.def as unknown as { readonly options: readonly z.core.$ZodType[] }
  const written = (draft['oneOf'] ?? draft['anyOf']) as readonly { readonly $ref?: string }[]
  if (written.some(({ $ref }) => $ref === undefined)) return
  const mapping = options.flatMap((option, index) =>
    Array.from(option._zod.propValues?.[propertyName] ?? [], value => [String(value), written[index]?.$ref]),
  )
  draft['oneOf'] = written
  delete draft['anyOf']
  draft['discriminator'] = { propertyName, mapping: Object.fromEntries(mapping) }
}

/**
 * Returns the JSON Schema of types without one in zod: a date is text in JSON on the response side, and on the request
 * side if it is coerced; a bigint is an integer.
 */
function wireForm(schema: z.core.$ZodType, side: Side): JsonSchema | undefined {
  const { type, coerce = false } = schema._zod.def as { readonly type: string; readonly coerce?: boolean }
  if (type === 'date' && (side === 'output' || coerce)) return { type: 'string', format: 'date-time' }
  return integerForm(schema)
}

function refuse(schema: z.core.$ZodType, path: readonly (string | number)[], where: string): never {
  const { type } = schema._zod.def
  const place = path.length === 0 ? '' : `, at /${path.join('/')}`
  throw new TypeError(
    `${where}${place}: '${type}' cannot be written as JSON Schema: use a type that JSON ` +
      `has${type === 'transform' ? ', or say what the transform brings with .pipe()' : ''}`,
  )
}
