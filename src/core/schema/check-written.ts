import type { z } from 'zod'
import { isSchema, valuesOf } from '../json/parts.ts'
import { urlText } from '../url-text.ts'
import { defOf } from './wrapped.ts'

/** The part of a request that an output is written into. A body has a part for each format; `body` is JSON. */
export type WrittenPart = 'path' | 'query' | 'headers' | 'body' | 'form' | 'multipart' | 'text' | 'bytes'

/** The output of a schema: all values of a part, one value of it, or one item of a value that is a list. */
type Place = 'all' | 'value' | 'item'

/** The reason for which an output cannot be written, and its place in the schema. */
interface Misfit {
  readonly pointer: string
  readonly type: string
  readonly reason: string
}

const targets: Readonly<Record<WrittenPart, string>> = {
  path: 'into a path',
  query: 'into a query',
  headers: 'into a header',
  body: 'as JSON',
  form: 'into a form',
  multipart: 'into a multipart body',
  text: 'as a text',
  bytes: 'as bytes',
}

const toString = 'convert it to a string with .transform(…)'
const fixes: Readonly<Record<WrittenPart, string>> = {
  path: toString,
  query: toString,
  headers: toString,
  body: 'convert it to an object, a list or a string with .transform(…)',
  form: toString,
  multipart: 'convert it to a string with .transform(…), or write a file as { bytes, filename, type } or with a stream',
  text: toString,
  bytes: 'use z.instanceof(Uint8Array) or z.instanceof(ReadableStream), or convert it with .transform(…)',
}
export const bodyFix = fixes.body
const dateFix = 'convert it with .transform(date => date.toUTCString()), or with toISOString()'
const whole = 'use z.object(…) with a field for each value'

const absent = 'can be absent, and a path needs a value: remove .optional(), or add .default(…)'
const nothing =
  'can be null, and a path needs a value: remove .nullable(), or convert null to a string with .transform(…)'

/** Types whose output can be written in a URL. */
const texts = new Set(['string', 'number', 'boolean', 'bigint', 'date', 'template_literal', 'success'])

/** Types whose output is not known before a value is read: a function returns it, or it may be any value. */
export const unknowns: ReadonlySet<string> = new Set(['any', 'unknown', 'custom', 'transform', 'never'])

/** Types whose inner schema does not describe their output, and a map and a set, whose output is not a JSON object. */
const opaque = new Set(['promise', 'success', 'map', 'set', 'function'])

/** Types whose output is `null` or `undefined`, which a query and headers omit. */
const nothings = new Set(['null', 'undefined', 'void'])

/** Formats whose output is one value, of which no part has a name. */
const single: ReadonlySet<WrittenPart> = new Set(['text', 'bytes'])

/** Parts in which a name has one value. */
const noList: ReadonlySet<WrittenPart> = new Set(['path', 'headers'])

/** The fields of a file in a multipart body, and those that a body of bytes has too. */
const fileFields = new Set(['bytes', 'stream', 'size', 'filename', 'type'])
const streamFields = new Set(['stream', 'size'])

/** Types that JSON drops, or writes as something else. */
const noJson = new Set(['map', 'set', 'symbol', 'function', 'file', 'promise', 'nan'])

/**
 * Refuses a schema whose output cannot be written into its part of a request, as far as this is known from its types.
 * The output of a function, such as a transform, is checked when a call is made.
 *
 * @param where names the owner and the schema, for example `cats.find, query`
 * @param names the names of the path template; a path takes these fields of the output
 * @throws {TypeError} that names the place in the schema, its type and the fix
 */
export function checkWritten(
  where: string,
  part: WrittenPart,
  schema: z.ZodType | undefined,
  names: readonly string[] = [],
): void {
  if (schema === undefined) return
  const misfit = new Walk(part, names).misfitOf(schema, part === 'body' || single.has(part) ? 'value' : 'all', '')
  if (misfit !== undefined)
    throw new TypeError(
      `${where}${misfit.pointer === '' ? '' : `, at ${misfit.pointer}`}: '${misfit.type}' ${misfit.reason}`,
    )
}

/**
 * One check of a schema. It ends at the first misfit, so a schema that it has already seen at a place has no misfit
 * there.
 */
class Walk {
  readonly #part: WrittenPart
  readonly #names: readonly string[]
  readonly #seen = { all: new Set<z.ZodType>(), value: new Set<z.ZodType>(), item: new Set<z.ZodType>() }

  constructor(part: WrittenPart, names: readonly string[]) {
    this.#part = part
    this.#names = names
  }

  misfitOf(schema: z.ZodType, place: Place, pointer: string): Misfit | undefined {
    const { type, shape, getter, options, left, right, innerType, out, element, items, rest } = defOf(schema)
    if (this.#seen[place].has(schema) || unknowns.has(type)) return undefined
    this.#seen[place].add(schema)
    if (type === 'nullable' && place === 'value') {
      if (this.#part === 'path') return { pointer, type, reason: nothing }
      if (single.has(this.#part)) return this.#misfit(pointer, type, 'remove .nullable(), or use .optional()')
    }
    if (opaque.has(type)) return this.#leafMisfit(schema, type, place, pointer)
    if (shape !== undefined || type === 'record') return this.#objectMisfit(schema, place, pointer)
    if (element !== undefined || items !== undefined)
      return this.#listMisfit([element, ...(items ?? []), rest], type, place, pointer)
    const inners = [...(options ?? []), left, right, innerType, out, getter && lazily(getter)].filter(isSchema)
    if (inners.length === 0 && getter === undefined) return this.#leafMisfit(schema, type, place, pointer)
    return first(inners, inner => this.misfitOf(inner, place, pointer))
  }

  #listMisfit(parts: readonly unknown[], type: string, place: Place, pointer: string): Misfit | undefined {
    const isBody = this.#part === 'body'
    if (!isBody && place === 'all') return this.#misfit(pointer, type, whole)
    if (!isBody && (place === 'item' || single.has(this.#part) || noList.has(this.#part)))
      return this.#misfit(pointer, type)
    return first(parts.filter(isSchema), item => this.misfitOf(item, isBody ? 'value' : 'item', `${pointer}/items`))
  }

  #objectMisfit(schema: z.ZodType, place: Place, pointer: string): Misfit | undefined {
    const { type, shape = {}, catchall, valueType } = defOf(schema)
    if (place !== 'all' && this.#part !== 'body') {
      if (this.#part === 'multipart' && isFile(shape)) return undefined
      if (this.#part === 'bytes' && 'stream' in shape && hasOnly(shape, streamFields)) return undefined
      return this.#misfit(pointer, type)
    }
    const isPath = this.#part === 'path'
    const fields = Object.entries(shape).filter(([name]) => !isPath || this.#names.includes(name))
    const misfit = first(fields, ([name, field]) => this.#fieldMisfit(field, `${pointer}/properties/${name}`))
    const others = catchall ?? valueType
    if (misfit !== undefined || others === undefined || (isPath && fields.length === this.#names.length)) return misfit
    return this.misfitOf(others, 'value', `${pointer}/additionalProperties`)
  }

  #fieldMisfit(field: z.ZodType, pointer: string): Misfit | undefined {
    const misfit = this.misfitOf(field, 'value', pointer)
    if (misfit !== undefined || this.#part !== 'path' || !canBeAbsent(field)) return misfit
    return { pointer, type: defOf(field).type, reason: absent }
  }

  #leafMisfit(schema: z.ZodType, type: string, place: Place, pointer: string): Misfit | undefined {
    if (this.#part === 'body') return noJson.has(type) ? this.#misfit(pointer, type) : undefined
    if (single.has(this.#part)) return isWhole(schema, this.#part) ? undefined : this.#misfit(pointer, type)
    if (place === 'all') return this.#misfit(pointer, type, whole)
    const isLeftOut = this.#part !== 'path'
    // A header has two forms of dates, so the author must choose one.
    if (type === 'date' && this.#part === 'headers') return this.#misfit(pointer, type, dateFix)
    const isWritten =
      type === 'literal' || type === 'enum'
        ? [...valuesOf(schema)].every(
            value => urlText(value) !== undefined || (isLeftOut && (value ?? undefined) === undefined),
          )
        : texts.has(type) || (isLeftOut && nothings.has(type))
    return isWritten ? undefined : this.#misfit(pointer, type)
  }

  #misfit(pointer: string, type: string, fix = fixes[this.#part]): Misfit {
    return { pointer, type, reason: `cannot be written ${targets[this.#part]}: ${fix}` }
  }
}

/** Returns whether the fields of an object are those of a file in a multipart body. */
function isFile(shape: Readonly<Record<string, z.ZodType>>): boolean {
  return 'bytes' in shape !== 'stream' in shape && hasOnly(shape, fileFields)
}

function hasOnly(shape: Readonly<Record<string, z.ZodType>>, fields: ReadonlySet<string>): boolean {
  return Object.keys(shape).every(name => fields.has(name))
}

/** Returns whether a leaf is written as a whole body of text or bytes. `undefined` means that there is no body. */
function isWhole(schema: z.ZodType, part: WrittenPart): boolean {
  const { type } = defOf(schema)
  if (type === 'undefined' || type === 'void') return true
  if (part === 'bytes') return false
  if (type === 'literal' || type === 'enum') return [...valuesOf(schema)].every(value => typeof value === 'string')
  return type === 'string' || type === 'template_literal'
}

/** Returns whether a field that is missing in the input has the value `undefined`. */
function canBeAbsent(field: z.ZodType): boolean {
  if (!saysWhatItMakes(field)) return false
  try {
    const { success, data } = field.safeParse(undefined)
    return success && data === undefined
  } catch {
    // A function of the author does not accept undefined and throws.
    return false
  }
}

/** Returns whether the output of a field is known by its types, for example whether it is optional. */
function saysWhatItMakes(field: z.ZodType): boolean {
  const { type, innerType, out } = defOf(field)
  const inner = innerType ?? out
  return type === 'optional' || (inner === undefined ? !unknowns.has(type) : saysWhatItMakes(inner))
}

/** Returns the inner schema of a lazy schema; `undefined` if it is declared later in the file. */
export function lazily(getter: () => z.ZodType): z.ZodType | undefined {
  try {
    return getter()
  } catch {
    return undefined
  }
}

function first<T>(parts: readonly T[], misfitOf: (part: T) => Misfit | undefined): Misfit | undefined {
  for (const part of parts) {
    const misfit = misfitOf(part)
    if (misfit !== undefined) return misfit
  }
  return undefined
}
