import type { z } from 'zod'
import { hasDoubtful, isDoubtful } from '../json/integers.ts'
import { isAnyJson } from '../json/parts.ts'
import { exactSchema } from '../json/wire-schema.ts'

/** What a reader gives for a value that its schema refuses. */
export const INVALID = Symbol('unfit')

/** Reads a value by a schema: what the schema would make of it, or `unfit`. */
export type Parser = (value: unknown) => unknown

interface Def {
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
}

interface Internals {
  readonly def: Def
  readonly values?: ReadonlySet<unknown>
}

/** Where the values come from that readers read. */
interface Source {
  readonly known: WeakMap<z.ZodType, Parser>
  /** Whether they come from `JSON.parse`, which rounds integers without a word. */
  readonly isWire: boolean
  /** Leaves a schema to zod. */
  readonly zodParser: (schema: z.ZodType) => Parser
}

const values: Source = { known: new WeakMap(), isWire: false, zodParser }
const wire: Source = { known: new WeakMap(), isWire: true, zodParser: zodWireParser }

/**
 * Makes a reader of a schema that gives the value itself where the schema changes nothing of it: zod copies every
 * object that it reads, and copies of large bodies cost more in garbage than all checks (docs/performance.md). Whatever
 * is not plain is zod's to read, and a reader refuses exactly what zod refuses: why, only zod says. Fields come in the
 * schema's order, as from zod.
 */
export function compileParser(schema: z.ZodType): Parser {
  return readerFrom(schema, values)
}

/**
 * Makes a reader of what `JSON.parse` gives. It refuses each number that may not be the one in the text, so a value
 * that it refuses must be read again with `parseExact` and `wireSchema`, which decide. Looking at each number where it
 * is read anyway costs nothing, and a search of the text costs a fifth of parsing it.
 */
export function compileWireParser(schema: z.ZodType): Parser {
  return readerFrom(schema, wire)
}

function readerFrom(schema: z.ZodType, source: Source): Parser {
  const { known } = source
  const before = known.get(schema)
  if (before !== undefined) return before
  let own: Parser = source.zodParser(schema)
  // Whoever meets it while it is made has met a schema that holds itself.
  known.set(schema, value => own(value))
  own = readerFor(schema, source)
  known.set(schema, own)
  return own
}

function readerFor(schema: z.ZodType, source: Source): Parser {
  const { isWire } = source
  const { def, values } = schema._zod as unknown as Internals
  if (
    def.type === 'number' &&
    def.check === 'number_format' &&
    def.format === 'safeint' &&
    (def.checks ?? []).length === 0
  )
    return value => (Number.isSafeInteger(value) ? value : INVALID)
  if (!isPlain(def)) return source.zodParser(schema)
  switch (def.type) {
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
      return isWire ? anyJson : value => value
    // What comes from JSON is JSON.
    case 'lazy':
      return isWire && isAnyJson(schema) ? anyJson : source.zodParser(schema)
    case 'literal':
    case 'enum':
      return isWire && [...(values as ReadonlySet<unknown>)].some(hasDoubtful)
        ? source.zodParser(schema)
        : value => ((values as ReadonlySet<unknown>).has(value) ? value : INVALID)
    case 'nullable':
      return nullable(readerFrom(def.innerType as z.ZodType, source))
    case 'optional':
      return optional(source.zodParser(schema), readerFrom(def.innerType as z.ZodType, source))
    case 'array':
      return list(readerFrom(def.element as z.ZodType, source))
    case 'object':
      return object(schema, def, source)
    case 'union':
      return isPlainUnion(def)
        ? union(
            (def.options as readonly z.ZodType[]).map(option => readerFrom(option, source)),
            isWire,
          )
        : source.zodParser(schema)
    case 'record':
      return isWire && isAnyText(def.keyType as z.ZodType)
        ? record(readerFrom(def.valueType as z.ZodType, source), source.zodParser(schema))
        : source.zodParser(schema)
    default:
      return source.zodParser(schema)
  }
}

/** Whether a schema is its type and nothing more. */
function isPlain({ checks = [], coerce, check }: Def): boolean {
  return checks.length === 0 && coerce !== true && check === undefined
}

/** Returns whether a union takes the first option that fits, and tries all of them. */
export function isPlainUnion({
  discriminator,
  inclusive,
}: {
  readonly discriminator?: unknown
  readonly inclusive?: unknown
}): boolean {
  return discriminator === undefined && inclusive !== false
}

/** Makes a reader of a schema that leaves all of it to zod, which copies what it reads. */
export function zodParser(schema: z.ZodType): Parser {
  return value => {
    const { success, data } = schema.safeParse(value)
    return success ? data : INVALID
  }
}

/** Leaves a schema of the wire to zod, which cannot know that a number was another one in the text. */
function zodWireParser(schema: z.ZodType): Parser {
  let read: Parser | undefined
  return value => {
    if (hasDoubtful(value)) return INVALID
    read ??= zodParser(exactSchema(schema))
    return read(value)
  }
}

function anyJson(value: unknown): unknown {
  return hasDoubtful(value) ? INVALID : value
}

function isAnyText(schema: z.ZodType): boolean {
  const { def } = schema._zod as unknown as Internals
  return def.type === 'string' && isPlain(def)
}

function nullable(inner: Parser): Parser {
  return value => (value === null ? null : inner(value))
}

function optional(missing: Parser, inner: Parser): Parser {
  return value => (value === undefined ? missing(value) : inner(value))
}

function list(element: Parser): Parser {
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

/** Stops at the first refused part of each option, where zod makes an issue of each part. */
function union(options: readonly Parser[], isWire: boolean): Parser {
  return value => {
    for (let at = 0; at < options.length; at++) {
      const own = (options[at] as Parser)(value)
      if (own !== INVALID) return own
      // An option that is refused for a rounded number may fit the number of the text.
      if (at === 0 && isWire && hasDoubtful(value)) return INVALID
    }
    return INVALID
  }
}

/** Stops at the first field that is refused, where zod makes an issue of each. */
function record(field: Parser, byZod: Parser): Parser {
  return value => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return INVALID
    if (
      Object.getPrototypeOf(value) !== Object.prototype ||
      Object.hasOwn(value, '__proto__') ||
      Object.hasOwn(value, 'constructor')
    )
      return byZod(value)
    const fields = value as Record<string, unknown>
    let copy: Record<string, unknown> | undefined
    for (const key of Object.keys(fields)) {
      const item = fields[key]
      const read = field(item)
      if (read === INVALID) return INVALID
      if (read !== item) (copy ??= { ...fields })[key] = read
    }
    return copy ?? value
  }
}

const primitives: Readonly<Record<string, (field: string, isWire: boolean) => string>> = {
  string: field => `typeof ${field} !== 'string'`,
  number: (field, isWire) =>
    `typeof ${field} !== 'number' || ${isWire ? `!(${field} < ${2 ** 53} && ${field} > ${-(2 ** 53)})` : `!Number.isFinite(${field})`}`,
  boolean: field => `typeof ${field} !== 'boolean'`,
}

/**
 * A function for each object, written as text, as zod does it too: reading fields by names that stand in the code takes
 * a fifth of reading them by a list.
 */
function object(schema: z.ZodType, { shape = {}, catchall }: Def, source: Source): Parser {
  const keys = Object.keys(shape)
  const rest = catchall?._zod.def.type
  const byZod = source.zodParser(schema)
  // Keys that every object has, and unknown keys that are not allowed, are left to zod.
  if (keys.some(key => key in Object.prototype) || rest === 'never') return byZod
  const readRest =
    catchall === undefined || rest === 'unknown' ? undefined : restParser(keys, readerFrom(catchall, source), byZod)
  const readers = keys.map(key => readerFrom(shape[key] as z.ZodType, source))
  const lines = keys.map((key, at) => {
    const inner = shape[key] as z.ZodType
    const name = JSON.stringify(key)
    const { def } = inner._zod as unknown as Internals
    const refuses = isPlain(def) ? primitives[def.type]?.(`f${at}`, source.isWire) : undefined
    return `
      const f${at} = value[${name}]
      if (f${at} === undefined && !(${name} in value)) ${mayMiss(def) ? '{}' : 'return byZod(value)'}
      else {
        present++
        ${
          refuses === undefined
            ? `const read = readers[${at}](f${at})
        if (read === unfit) return unfit
        if (read !== f${at}) (copy ??= { ...value })[${name}] = read`
            : `if (${refuses}) return unfit`
        }
      }`
  })
  // A field that is unknown, or not in its place.
  const misfit =
    readRest !== undefined
      ? 'readRest(value, copy, seen === present)'
      : rest === 'unknown'
        ? `${source.isWire ? 'hasDoubtful(value) ? unfit : ' : ''}seen === present && !Object.hasOwn(value, '__proto__') ? copy ?? value : byZod(value)`
        : 'only(keys, copy ?? value)'
  const text = `return function read (value) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return unfit
    const prototype = Object.getPrototypeOf(value)
    if (prototype !== Object.prototype && prototype !== null) return byZod(value)
    let copy
    let present = 0
    ${lines.join('')}
    let at = 0
    let seen = 0
    for (const key in value) {
      while (at < ${keys.length} && keys[at] !== key) at++
      if (at === ${keys.length}) return ${misfit}
      seen++
      at++
    }
    return copy ?? value
  }`
  try {
    // oxlint-disable-next-line typescript/no-implied-eval -- the text has nothing but the author's own keys, as JSON
    return new Function('readers', 'byZod', 'unfit', 'only', 'keys', 'hasDoubtful', 'readRest', text)(
      readers,
      byZod,
      INVALID,
      only,
      keys,
      hasDoubtful,
      readRest,
    ) as Parser
  } catch {
    // A process may forbid code from text (node --disallow-code-generation-from-strings).
    return byZod
  }
}

/** Whether a field that is missing stays so; one that gets a value from within is zod's to see to. */
function mayMiss({ type, innerType }: Def): boolean {
  return type === 'optional' && innerType?._zod.optin === undefined
}

/** Reads the fields that an object schema does not name by its `catchall`; they follow the others, as from zod. */
function restParser(keys: readonly string[], read: Parser, byZod: Parser) {
  const named = new Set(keys)
  return (value: Readonly<Record<string, unknown>>, copy: Record<string, unknown> | undefined, isInOrder: boolean) => {
    if (Object.hasOwn(value, '__proto__')) return byZod(value)
    let changed = isInOrder ? copy : (only(keys, copy ?? value) as Record<string, unknown>)
    for (const key of Object.keys(value)) {
      if (named.has(key)) continue
      const item = value[key]
      const own = read(item)
      if (own === INVALID) return INVALID
      if (own !== item || !isInOrder) (changed ??= { ...value })[key] = own
    }
    return changed ?? value
  }
}

/** The fields of these names. */
function only(keys: readonly string[], fields: Readonly<Record<string, unknown>>): object {
  const kept: Record<string, unknown> = {}
  for (const key of keys) if (key in fields) kept[key] = fields[key]
  return kept
}
