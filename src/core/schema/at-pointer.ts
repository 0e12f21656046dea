import type { z } from 'zod'
import { innerOf } from '../json/parts.ts'
import { defOf } from './wrapped.ts'

/** The side of a schema that is followed: the values that it reads, or the values that it returns. */
export type Side = 'input' | 'output'

/**
 * Returns the schemas that may read or return a value that is not in a part of its own: the inner schemas of wrappers,
 * unions, intersections and pipes, without those wrappers. A function that returns a value is a `transform`, which may
 * return anything.
 *
 * @param seen The schemas whose forms are known already. They are not returned again.
 */
export function formsOf(schema: z.ZodType, side: Side, seen = new Set<z.ZodType>()): readonly z.ZodType[] {
  if (seen.has(schema)) return []
  seen.add(schema)
  const { type, innerType, in: input, out, left, right, options } = defOf(schema)
  const each = (inner: z.ZodType) => formsOf(inner, side, seen)
  // The getter of a lazy schema may create a schema at each call.
  if (type === 'lazy') return each(innerOf(schema))
  if (options !== undefined) return options.flatMap(each)
  if (left !== undefined && right !== undefined) return [...each(left), ...each(right)]
  if (type === 'pipe') return each((side === 'input' ? input : out) as z.ZodType)
  // A fallback may be of any kind. The schema itself stands for it.
  if (innerType === undefined || type === 'catch' || type === 'success') return [schema]
  return type === 'nullable' ? [schema, ...each(innerType)] : each(innerType)
}

/** The schemas of a place: `open` if the place may hold anything. */
export type Schemas = 'open' | readonly z.ZodType[]

/**
 * Follows tokens of a JSON Pointer through a schema.
 *
 * @returns The schemas of the values to which the tokens may point; an empty list if there can be none.
 */
export function schemasAt(schema: z.ZodType, side: Side, tokens: readonly string[]): Schemas {
  let schemas: readonly z.ZodType[] = [schema]
  for (const token of tokens) {
    // Each schema once: one that contains itself in two ways, as z.json() does, would double their number with each
    // token.
    const below = new Set<z.ZodType>()
    const seen = new Set<z.ZodType>()
    for (const form of schemas.flatMap(each => formsOf(each, side, seen))) {
      const part = partAt(form, token)
      if (part === 'open') return 'open'
      if (part !== undefined) below.add(part)
    }
    schemas = [...below]
  }
  return schemas
}

/** Kinds of schemas whose values have no parts. */
const leaves = new Set(
  'string template_literal number bigint boolean null nullable enum literal undefined void never nan date'.split(' '),
)

/** Returns the schema of one part of a value, `open` if the part may hold anything, and undefined if the part does not exist. */
function partAt(form: z.ZodType, token: string): z.ZodType | 'open' | undefined {
  const { type, shape, catchall, element, items, rest, valueType } = defOf(form)
  if (leaves.has(type)) return undefined
  if (shape !== undefined) return Object.hasOwn(shape, token) ? shape[token] : catchall
  if (type === 'record') return valueType
  if (type === 'array') return isIndex(token) ? element : undefined
  if (type === 'tuple')
    return isIndex(token) ? ((items as readonly z.ZodType[])[Number(token)] ?? rest ?? undefined) : undefined
  return 'open'
}

function isIndex(token: string): boolean {
  const index = Number(token)
  return Number.isInteger(index) && index >= 0 && String(index) === token
}
