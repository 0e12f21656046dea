import { z } from 'zod'

/** What a caller sends, or what a caller gets: a schema with defaults or transforms has a shape for each. */
export type Side = 'input' | 'output'

export type JsonSchema = Readonly<Record<string, unknown>>

/** A JSON Schema whose named parts stand in `$defs`. */
export interface NamedParts {
  readonly root: JsonSchema
  readonly $defs: Readonly<Record<string, JsonSchema>>
}

type Draft = Record<string, unknown>

const keywords = new Set([
  '$ref', '$defs', 'type', 'const', 'enum', 'format', 'default', 'examples', 'title', 'description', 'deprecated', 'readOnly', 'writeOnly', 'discriminator',
  'properties', 'required', 'additionalProperties', 'patternProperties', 'propertyNames', 'minProperties', 'maxProperties', 'dependentRequired',
  'items', 'prefixItems', 'contains', 'minItems', 'maxItems', 'uniqueItems', 'minLength', 'maxLength', 'pattern', 'contentEncoding', 'contentMediaType',
  'minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf', 'allOf', 'anyOf', 'oneOf', 'not', 'if', 'then', 'else',
])

/** Above this many characters a pattern beside a format tells a reader nothing that the format does not. */
const longPattern = 60

/** Writes a zod schema as JSON Schema (draft 2020-12); throws a `TypeError` that says where it holds something JSON cannot. */
export function jsonSchema (schema: z.ZodType, side: Side, where: string): NamedParts {
  let written: unknown
  try {
    written = z.toJSONSchema(schema, {
      io: side,
      override: ({ zodSchema, jsonSchema: draft }) => tidy(zodSchema as z.ZodType, draft as Draft, side),
      unrepresentable: ({ zodSchema, path }) => dateOf(zodSchema as z.ZodType, side) ?? refuse(zodSchema as z.ZodType, path, where),
    })
  } catch (error) {
    throw error instanceof TypeError ? error : new TypeError(`${where}: ${(error as Error).message}`, { cause: error })
  }
  // What is left after this is JSON and nothing else.
  const { $schema: _, $defs = {}, ...root } = JSON.parse(JSON.stringify(written)) as { $schema: string, $defs?: Record<string, JsonSchema> }
  const isNameless = JSON.stringify(root).includes('"$ref":"#"') || Object.keys($defs).some(id => id.startsWith('__'))
  if (isNameless) throw new TypeError(`${where}: a schema that holds itself needs a name: add .meta({ id: 'Name' })`)
  return { root, $defs }
}

/** Leaves what a reader of the schema can use. */
function tidy (schema: z.ZodType, draft: Draft, side: Side): void {
  const { def } = schema._zod as { readonly def: { readonly type: string, readonly format?: string, readonly catchall?: unknown, readonly discriminator?: string } }
  for (const key of Object.keys(draft)) if (!keywords.has(key) && !key.startsWith('x-')) delete draft[key]
  if (draft['minimum'] === Number.MIN_SAFE_INTEGER) delete draft['minimum']
  if (draft['maximum'] === Number.MAX_SAFE_INTEGER) delete draft['maximum']
  if (draft['format'] !== undefined && typeof draft['pattern'] === 'string' && draft['pattern'].length > longPattern) delete draft['pattern']
  // A reply may gain fields, and its defaults are filled in.
  if (def.type === 'object' && def.catchall === undefined) delete draft['additionalProperties']
  if (side === 'output') delete draft['default']
  if (def.discriminator !== undefined) discriminate(schema, def.discriminator, draft)
}

/** Says which value names which option; a discriminator can only point at options that have a name. */
function discriminate (schema: z.ZodType, propertyName: string, draft: Draft): void {
  const { options } = schema._zod.def as unknown as { readonly options: readonly z.ZodType[] }
  const written = (draft['oneOf'] ?? draft['anyOf']) as readonly { readonly $ref?: string }[]
  if (written.some(({ $ref }) => $ref === undefined)) return
  const mapping = options.flatMap((option, index) => Array.from(option._zod.propValues?.[propertyName] ?? [], value => [String(value), written[index]?.$ref]))
  draft['oneOf'] = written
  delete draft['anyOf']
  draft['discriminator'] = { propertyName, mapping: Object.fromEntries(mapping) }
}

/** Dates are text on the wire: `JSON.stringify` writes them so, and a coerced one is read from it. */
function dateOf (schema: z.ZodType, side: Side): JsonSchema | undefined {
  const { type, coerce } = schema._zod.def as { readonly type: string, readonly coerce?: boolean }
  return type === 'date' && (side === 'output' || coerce) ? { type: 'string', format: 'date-time' } : undefined
}

function refuse (schema: z.ZodType, path: readonly (string | number)[], where: string): never {
  const { type } = schema._zod.def
  const place = path.length === 0 ? '' : `, at /${path.join('/')}`
  throw new TypeError(`${where}${place}: '${type}' cannot be written as JSON Schema: use a type that JSON has${type === 'transform' ? ', or say what the transform brings with .pipe()' : ''}`)
}
