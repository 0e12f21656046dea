import type { z } from 'zod'
import { hasDoubtful, isDoubtful } from '../json/integers.ts'

/** Returned by a parser for a value that its schema refuses. */
export const INVALID = Symbol('invalid')

/** Parses a value by a schema. Returns the output of the schema, or `INVALID`. */
export type Parser = (value: unknown) => unknown

/** The parts of a zod definition that parsers are compiled from. */
export interface Def {
  readonly type: string
  readonly checks?: readonly unknown[]
  readonly check?: string
  readonly format?: string
  readonly coerce?: boolean
  readonly shape?: Readonly<Record<string, z.ZodType>>
  readonly catchall?: z.ZodType
  readonly element?: z.ZodType
  readonly keyType?: z.ZodType
  readonly valueType?: z.ZodType
  readonly innerType?: z.ZodType
  readonly options?: readonly z.ZodType[]
  readonly discriminator?: string
  /** False for `z.xor`. */
  readonly inclusive?: boolean
  /** Of a schema that `textSchema` has made: returns what the inner schema reads. */
  readonly read?: (value: unknown) => unknown
}

export interface Internals {
  readonly def: Def
  readonly values?: ReadonlySet<unknown>
}

/** Returns whether a schema has only its type, without checks and coercion. */
export function isPlain({ checks = [], coerce, check }: Def): boolean {
  return checks.length === 0 && coerce !== true && check === undefined
}

/** Returns whether a union tries its options in order and uses the first one that matches. */
export function isPlainUnion({
  discriminator,
  inclusive,
}: {
  readonly discriminator?: unknown
  readonly inclusive?: unknown
}): boolean {
  return discriminator === undefined && inclusive !== false
}

/** Returns whether a schema is `z.string()` without checks and coercion. */
export function isAnyText(schema: z.ZodType): boolean {
  const { def } = schema._zod as unknown as Internals
  return def.type === 'string' && isPlain(def)
}

/** Returns whether a schema is `z.int()`. */
export function isPlainInt({ type, check, format, checks = [] }: Def): boolean {
  return type === 'number' && check === 'number_format' && format === 'safeint' && checks.length === 0
}

/** Parses an integer that a double holds exactly. */
export function parseInteger(value: unknown): unknown {
  return Number.isSafeInteger(value) ? value : INVALID
}

/** Returns any JSON value itself; a doubtful number in it is `INVALID`. */
export function parseAnyJson(value: unknown): unknown {
  return hasDoubtful(value) ? INVALID : value
}

/**
 * Returns the parser of a plain schema without an inner schema; undefined for any other schema.
 *
 * @param isWire whether the values come from `JSON.parse`, which rounds large integers silently
 */
export function leafParser({ type }: Def, isWire: boolean): Parser | undefined {
  switch (type) {
    case 'string':
      return value => (typeof value === 'string' ? value : INVALID)
    case 'number':
      return isWire
        ? value => (typeof value === 'number' && !isDoubtful(value) ? value : INVALID)
        : value => (typeof value === 'number' && Number.isFinite(value) ? value : INVALID)
    case 'bigint':
      return isWire
        ? value => (Number.isSafeInteger(value) ? BigInt(value as number) : INVALID)
        : value => (typeof value === 'bigint' ? value : INVALID)
    case 'boolean':
      return value => (typeof value === 'boolean' ? value : INVALID)
    case 'null':
      return value => (value === null ? null : INVALID)
    case 'any':
    case 'unknown':
      return isWire ? parseAnyJson : value => value
    default:
      return undefined
  }
}

/** Returns the parser of a literal or an enum. */
export function literalParser(values: ReadonlySet<unknown>): Parser {
  return value => (values.has(value) ? value : INVALID)
}

/** Returns the parser of a nullable schema. */
export function nullableParser(inner: Parser): Parser {
  return value => (value === null ? null : inner(value))
}

/** Returns the parser of an optional schema; `missing` decides about `undefined`. */
export function optionalParser(missing: Parser, inner: Parser): Parser {
  return value => (value === undefined ? missing(value) : inner(value))
}

/** Returns the parser of a list. It copies the list only if an item changes. */
export function listParser(element: Parser): Parser {
  return value => {
    if (!Array.isArray(value)) return INVALID
    let copy: unknown[] | undefined
    for (let index = 0; index < value.length; index++) {
      const item: unknown = value[index]
      const read = element(item)
      if (read === INVALID) return INVALID
      if (read !== item) copy ??= value.slice()
      if (copy !== undefined) copy[index] = read
    }
    return copy ?? value
  }
}

/**
 * Returns the parser of a union. It stops at the first refused part of each option, whereas zod creates an issue for
 * each refused part.
 */
export function unionParser(options: readonly Parser[], isWire: boolean): Parser {
  return value => {
    for (let at = 0; at < options.length; at++) {
      const own = (options[at] as Parser)(value)
      if (own !== INVALID) return own
      // An option that refuses the rounded number may accept the number in the text.
      if (at === 0 && isWire && hasDoubtful(value)) return INVALID
    }
    return INVALID
  }
}

/**
 * Returns the parser of a record. It stops at the first refused field, whereas zod creates an issue for each refused
 * field.
 */
export function recordParser(field: Parser, zodParser: Parser): Parser {
  return value => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return INVALID
    if (
      Object.getPrototypeOf(value) !== Object.prototype ||
      Object.hasOwn(value, '__proto__') ||
      Object.hasOwn(value, 'constructor')
    )
      return zodParser(value)
    const fields = value as Record<string, unknown>
    let copy: Record<string, unknown> | undefined
    // Do not use Object.keys: for a large object it doubles the time.
    for (const key in fields) {
      const item = fields[key]
      const read = field(item)
      if (read === INVALID) return INVALID
      if (read !== item) (copy ??= { ...fields })[key] = read
    }
    return copy ?? value
  }
}
