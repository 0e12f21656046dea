import { isDeepStrictEqual } from 'node:util'
import type { z } from 'zod'
import { isNever, mayBeAbsent, orNull } from './absent-value.ts'
import { withoutBigints } from './bigint-schema.ts'
import { nonFinite, withoutNonFinite } from './non-finite.ts'
import type { JsonSchema, Side } from './schema-types.ts'
import { dataKeywords, keywords } from './keywords.ts'
import { isWrittenByHand, mark, withoutMarks, type Metadata } from './unrepresentable.ts'

type Draft = Record<string, unknown>

interface Def {
  readonly type: string
  readonly catchall?: unknown
  readonly mode?: 'strict' | 'loose'
  readonly discriminator?: string
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>
  readonly element?: z.core.$ZodType
  readonly items?: readonly z.core.$ZodType[]
  readonly rest?: z.core.$ZodType | null
  readonly valueType?: z.core.$ZodType
  readonly in?: z.core.$ZodType
  readonly defaultValue?: unknown
}

/** A pattern longer than this is dropped if the schema has a format, which expresses the same rule. */
const longPattern = 60

/** Corrects the JSON Schema of one zod schema, and removes keywords that do not help a reader. */
export function tidy(schema: z.core.$ZodType, draft: Draft, side: Side, metadata: Metadata): void {
  const def = schema._zod.def as unknown as Def
  if (draft['minimum'] === Number.MIN_SAFE_INTEGER) delete draft['minimum']
  if (draft['maximum'] === Number.MAX_SAFE_INTEGER) delete draft['maximum']
  if (draft['format'] !== undefined && typeof draft['pattern'] === 'string' && draft['pattern'].length > longPattern)
    delete draft['pattern']
  // Later versions of a reply may have more fields. The defaults of a reply are already applied.
  if (def.type === 'object' && def.catchall === undefined) delete draft['additionalProperties']
  if (side === 'output') delete draft['default']
  // `.readonly()` freezes the value here; in OpenAPI, `readOnly` means that a request must not contain the field.
  if (def.type === 'readonly') delete draft['readOnly']
  if (def.type === 'record' && isDeepStrictEqual(draft['propertyNames'], { type: 'string' }))
    delete draft['propertyNames']
  if (def.type === 'record') nameKeys(def, draft, side)
  // JSON has no files, and schemas are read synchronously.
  if (def.type === 'file' || def.type === 'promise') draft[mark] = def.type
  if (draft[mark] !== undefined && isWrittenByHand(schema, metadata)) delete draft[mark]
  withoutNonFinite(draft, def.defaultValue, side)
  if (side === 'input' && def.in?._zod.def.type === 'transform') openBehind(draft)
  if (side === 'output') writeAbsent(def, draft)
  if (def.type === 'union') dropImpossible(draft, side)
  if (def.discriminator !== undefined) discriminate(schema, def.discriminator, draft)

  const written = { ...draft }
  for (const key of Object.keys(draft)) delete draft[key]
  for (const key of [...keywords, mark])
    if (written[key] !== undefined) draft[key] = dataKeywords.has(key) ? withoutBigints(written[key]) : written[key]
}

/** Describes how JSON represents `undefined`: the field is omitted, and an item of a list is `null`. */
function writeAbsent({ type, shape, element, items, rest, valueType }: Def, draft: Draft): void {
  if (type === 'array' && mayBeAbsent(element as z.core.$ZodType)) draft['items'] = orNull(draft['items'] as JsonSchema)
  if (type === 'tuple') {
    const written = draft['prefixItems'] as readonly JsonSchema[]
    draft['prefixItems'] = written.map((item, index) =>
      mayBeAbsent(items?.[index] as z.core.$ZodType) ? orNull(item) : item,
    )
    if (rest && mayBeAbsent(rest)) draft['items'] = orNull(draft['items'] as JsonSchema)
  }
  if (draft['required'] === undefined) return
  const isRequired = (name: string) => {
    const value = type === 'object' ? shape?.[name] : type === 'record' ? valueType : undefined
    return value === undefined || !mayBeAbsent(value)
  }
  const required = (draft['required'] as readonly string[]).filter(isRequired)
  if (required.length > 0) draft['required'] = required
  else delete draft['required']
}

/** Writes the keys of a record as properties if they are fixed values, so that readers see the type of each key. */
function nameKeys({ mode }: Def, draft: Draft, side: Side): void {
  const { enum: values, const: value } = (draft['propertyNames'] ?? {}) as JsonSchema
  const keys = (values ?? (value === undefined ? [] : [value])) as readonly unknown[]
  if (keys.length === 0) return
  draft['properties'] = Object.fromEntries(keys.map(key => [String(key), draft['additionalProperties']]))
  delete draft['propertyNames']
  delete draft['additionalProperties']
  if (side === 'input' && mode !== 'loose') draft['additionalProperties'] = false
}

/**
 * Replaces types that JSON does not have by the empty schema behind a `z.preprocess()`, since its function makes the
 * value from another value.
 */
function openBehind(draft: Draft): void {
  delete draft[mark]
  for (const [key, value] of Object.entries(draft)) draft[key] = withoutMarks(value)
}

/** The zod types whose values JSON does not have. As an option in a request they never match. */
const neverInJson: ReadonlySet<unknown> = new Set([
  'date',
  'nan',
  'map',
  'set',
  'file',
  'symbol',
  'function',
  'promise',
  nonFinite,
])

/**
 * Removes the options of a union that no JSON value matches, and duplicate options. If no option would remain, keeps
 * all of them.
 */
function dropImpossible(draft: Draft, side: Side): void {
  const how = draft['oneOf'] === undefined ? 'anyOf' : 'oneOf'
  const options = draft[how] as readonly JsonSchema[]
  const left = options.filter(
    (each, index) =>
      !isNever(each) &&
      !(side === 'input' && neverInJson.has(each[mark])) &&
      !(how === 'anyOf' && options.slice(0, index).some(other => isDeepStrictEqual(other, each))),
  )
  if (left.length === options.length || left.length === 0) return
  delete draft[how]
  Object.assign(draft, left.length === 1 ? { ...left[0], ...draft } : { [how]: left })
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
