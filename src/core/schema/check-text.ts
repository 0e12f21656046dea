import type { z } from 'zod'
import { defOf, innersOf, type Def } from './wrapped.ts'

/** The reason why a schema can never read a text, and its place in the schema. */
interface Misfit {
  readonly path: readonly string[]
  readonly type: string
  readonly reason: string
  /** True if the schema is refused even if another option of its union can match. */
  readonly isWrong: boolean
}

/**
 * The input of a schema: all values, one value (a text or a list of texts), one item of a list, or the result of a
 * function.
 */
interface Given {
  readonly place: 'all' | 'value' | 'item'
  readonly isMade: boolean
}

const nested =
  'never matches text: give each field a separate parameter, or parse one string with z.string().transform(…)'
const emptied = 'never matches text: remove it, or use z.never().optional() for a parameter that must be absent'
const rewritten = "never matches text: write its values as text, for example z.literal('5')"

/** The advice for each type that no text can match. */
const advice: Readonly<Record<string, string>> = {
  number: 'never matches text: use z.coerce.number()',
  bigint: 'never matches text: use z.coerce.bigint()',
  boolean: 'never matches text: use z.stringbool()',
  date: 'never matches text: use z.iso.datetime(), or z.coerce.date()',
  object: nested,
  record: nested,
  literal: rewritten,
  enum: rewritten,
  null: emptied,
  undefined: emptied,
  void: emptied,
  nan: emptied,
  never: emptied,
  map: 'never matches text: use z.record(), or convert it in a transform',
  set: 'never matches text: use z.array(), and create the set in a transform',
  symbol: 'never matches text: use z.string()',
  function: 'never matches text: use z.string()',
  file: 'never matches text: use z.string()',
}

/** Types that can match the object of all values of a part. */
const wholes = new Set(['any', 'unknown', 'custom', 'transform', 'object', 'record'])

/**
 * Refuses a schema of texts (a query, path parameters, headers) that can never match, or that reads every text as
 * `true`.
 *
 * @param where names the owner and the part, for example `aggregate 'cats', query`
 * @throws {TypeError} that names the place in the schema, its type, and the schema to use
 */
export function checkText(where: string, schema: z.ZodType | undefined): void {
  const misfit = schema && misfitOf(schema, { place: 'all', isMade: false }, [])
  if (misfit === undefined) return
  const { path, type, reason } = misfit
  throw new TypeError(`${where}${path.length === 0 ? '' : `, at /${path.join('/')}`}: '${type}' ${reason}`)
}

function misfitOf(schema: z.ZodType, given: Given, within: readonly z.ZodType[]): Misfit | undefined {
  if (within.includes(schema)) return undefined
  const def = defOf(schema)
  const inside = [...within, schema]
  const { type, coerce = false, in: input, out, options, getter } = def
  if (getter !== undefined) return lazyMisfit(getter, given, inside)
  if (input !== undefined && out !== undefined) return pipeMisfit(def, input, out, given, inside)
  if (options !== undefined) {
    const misfits = options.map(option => misfitOf(option, given, inside))
    return misfits.find(misfit => misfit?.isWrong === true) ?? (misfits.includes(undefined) ? undefined : misfits[0])
  }
  const inners = innersOf(schema)
  if (inners.length > 0) {
    // An author may write z.never().optional() for a parameter that must not be sent.
    if (type === 'optional' && inners.every(inner => defOf(inner).type === 'never')) return undefined
    return type === 'success' ? undefined : first(inners.map(inner => misfitOf(inner, given, inside)))
  }
  if (coerce)
    return type === 'boolean'
      ? { path: [], type, reason: 'reads every non-empty string as true: use z.stringbool()', isWrong: true }
      : undefined
  return given.place === 'all' ? allMisfit(schema, def, given, inside) : valueMisfit(schema, def, given, inside)
}

/** Returns the misfit of a schema that reads all values of a part: an object of texts. */
function allMisfit(
  schema: z.ZodType,
  { type, shape, catchall, valueType }: Def,
  { isMade }: Given,
  inside: readonly z.ZodType[],
): Misfit | undefined {
  const field = { place: 'value', isMade } as const
  if (shape !== undefined) {
    const fields = Object.entries(shape).map(([name, value]) =>
      at(['properties', name], misfitOf(value, field, inside)),
    )
    const others =
      catchall === undefined || defOf(catchall).type === 'never'
        ? undefined
        : at(['additionalProperties'], misfitOf(catchall, field, inside))
    return first([...fields, others])
  }
  if (type === 'record') return at(['additionalProperties'], misfitOf(valueType as z.ZodType, field, inside))
  return isMade || wholes.has(type)
    ? undefined
    : { path: [], type, reason: 'never matches an object of strings: use z.object()', isWrong: false }
}

function valueMisfit(
  schema: z.ZodType,
  def: Def,
  { place, isMade }: Given,
  inside: readonly z.ZodType[],
): Misfit | undefined {
  const { type, element, items, rest } = def
  const isList = element !== undefined || items !== undefined
  if (isList && !isMade && place === 'item')
    return { path: [], type, reason: 'never matches text: the items of a list are strings, not lists', isWrong: false }
  if (isList)
    return first(
      [element, ...(items ?? []), rest].map(item =>
        item ? at(['items'], misfitOf(item, { place: 'item', isMade }, inside)) : undefined,
      ),
    )
  if (isMade || hasText(schema)) return undefined
  const reason = advice[type]
  return reason === undefined ? undefined : { path: [], type, reason, isWrong: false }
}

/** Returns whether a literal or an enum has a text among its values. */
function hasText(schema: z.ZodType): boolean {
  const { values } = schema._zod as { readonly values?: ReadonlySet<unknown> }
  return values !== undefined && [...values].some(value => typeof value === 'string')
}

/** Returns the misfit of a pipe. A function may convert a text to any value, so a schema after it may have any type. */
function pipeMisfit(
  { transform }: Def,
  input: z.ZodType,
  out: z.ZodType,
  given: Given,
  inside: readonly z.ZodType[],
): Misfit | undefined {
  const made = { ...given, isMade: true }
  const isPreprocess = defOf(input).type === 'transform'
  return first([
    isPreprocess ? undefined : misfitOf(input, given, inside),
    misfitOf(out, transform === undefined && !isPreprocess && keeps(input) ? given : made, inside),
  ])
}

/** Returns whether a schema returns its input unchanged. */
function keeps(schema: z.ZodType): boolean {
  const { type, coerce } = defOf(schema)
  return type === 'string' || ((type === 'any' || type === 'unknown') && coerce !== true)
}

/** Returns the misfit of a lazy schema. A schema that is declared later in the file may match. */
function lazyMisfit(getter: () => z.ZodType, given: Given, inside: readonly z.ZodType[]): Misfit | undefined {
  let schema
  try {
    schema = getter()
  } catch {
    return undefined
  }
  return misfitOf(schema, given, inside)
}

function at(path: readonly string[], misfit: Misfit | undefined): Misfit | undefined {
  return misfit && { ...misfit, path: [...path, ...misfit.path] }
}

function first(misfits: readonly (Misfit | undefined)[]): Misfit | undefined {
  return misfits.find(misfit => misfit !== undefined)
}
