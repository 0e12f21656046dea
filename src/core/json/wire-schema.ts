import { z } from 'zod'
import { agreeing } from './agreeing.ts'
import { isDoubtful } from './integers.ts'
import { keepingLeafOf, leafOf } from './leaves.ts'
import { needsExact } from './needs-exact.ts'
import { defOf, innerOf, isAnyJson, isSchema, type Def } from './parts.ts'

const known = new WeakMap<z.ZodType, z.ZodType>()

/**
 * Returns the schema that reads values of `parseExact` according to the author's schema. It is the same schema with
 * other leaves. A bigint becomes a number where the author declared a number and a double holds it exactly. A number
 * becomes a bigint where the author declared a bigint. zod does everything else, including unions, defaults, checks and
 * transforms.
 */
export function wireSchema(schema: z.ZodType): z.ZodType {
  const before = known.get(schema)
  if (before !== undefined) return before
  const own = make(schema)
  known.set(schema, own)
  return own
}

/**
 * Returns the schema that reads values of authors, which may contain integers of any size. It is the same schema,
 * unless that schema could round integers.
 */
export function exactSchema(schema: z.ZodType): z.ZodType {
  return needsExact(schema) ? wireSchema(schema) : schema
}

function make(schema: z.ZodType): z.ZodType {
  if (isAnyJson(schema)) return leafOf(z.unknown()) as z.ZodType
  const leaf = leafOf(schema)
  if (leaf !== undefined) return leaf
  const def = defOf(schema)
  switch (def.type) {
    // A lazy schema and an object may contain themselves, so create their parts at the first access.
    case 'lazy':
      return withParts(schema, { getter: () => wireSchema(innerOf(schema)), _cachedInner: undefined })
    case 'object':
      return withParts(schema, { ...partsOf(def), shape: lazyShape(def['shape'] as Shape) })
    case 'pipe':
      return withParts(schema, pipe(def))
    case 'intersection':
      return withParts(
        schema,
        agreeing(...([def['left'], def['right']].map(side => wireSchema(side as z.ZodType)) as [z.ZodType, z.ZodType])),
      )
    // The keys need no conversion: the keys of a JSON object are strings.
    case 'record':
      return withParts(schema, { valueType: wireSchema(def['valueType'] as z.ZodType) })
    case 'union':
      return withParts(schema, {
        ...partsOf(def),
        ...(isDiscriminatedByIntegers(schema, def.discriminator) && { unionFallback: true }),
      })
    // A JSON value never has one of these types.
    case 'map':
    case 'set':
    case 'promise':
    case 'function':
      return schema
    default:
      return withParts(schema, partsOf(def))
  }
}

type Shape = Readonly<Record<string, z.ZodType>>
type Parts = Readonly<Record<string, unknown>>

/**
 * Returns the same schema with other parts. Computed properties of its definition, such as a default, stay computed.
 */
function withParts(schema: z.ZodType, parts: Parts): z.ZodType {
  if (Object.keys(parts).length === 0) return schema
  const def = Object.defineProperties(
    {},
    { ...Object.getOwnPropertyDescriptors(schema._zod.def), ...Object.getOwnPropertyDescriptors(parts) },
  )
  return z.core.clone(schema, def as never)
}

/** Returns the wire schema of each part of a definition that is a schema or a list of schemas. */
function partsOf(def: Def): Parts {
  const parts: Record<string, unknown> = {}
  for (const [name, { value: part }] of Object.entries(Object.getOwnPropertyDescriptors(def)) as [
    string,
    { readonly value?: unknown },
  ][]) {
    if (name === 'shape' || name === 'checks') continue
    if (isSchema(part)) parts[name] = wireSchema(part)
    else if (Array.isArray(part) && part.length > 0 && part.every(isSchema)) parts[name] = part.map(wireSchema)
  }
  return parts
}

function lazyShape(shape: Shape): Shape {
  return Object.defineProperties(
    {},
    Object.fromEntries(
      Object.keys(shape).map(key => [key, { enumerable: true, get: () => wireSchema(shape[key] as z.ZodType) }]),
    ),
  )
}

/** Types that accept any value unchanged, or pass it to a function of the author. */
const open = new Set(['transform', 'unknown', 'any', 'custom'])

/**
 * The parts of a pipe after the first one read the author's own values. The exception is an integer that reaches them
 * unchanged: through a part that accepts any value, or as text that is coerced to a number.
 */
function pipe(def: Def): Parts {
  const from = def['in'] as z.ZodType
  const to = def['out'] as z.ZodType
  if (!needsExact(to)) return { in: wireSchema(from) }
  return { in: open.has(defOf(from).type) ? keepingLeafOf(from) : wireSchema(from), out: wireSchema(to) }
}

/** Returns whether a discriminator has values that `parseExact` returns in another form, for example a small bigint. */
function isDiscriminatedByIntegers(schema: z.ZodType, discriminator: string | undefined): boolean {
  if (discriminator === undefined) return false
  const values = schema._zod.propValues as Readonly<Record<string, ReadonlySet<unknown>>>
  return [...(values[discriminator] as ReadonlySet<unknown>)].some(
    value => typeof value === 'bigint' || (typeof value === 'number' && isDoubtful(value)),
  )
}
