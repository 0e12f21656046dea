import type { z } from 'zod'

/** What a reader gives for a value that its schema refuses. */
export const unfit = Symbol('unfit')

/** Reads a value by a schema: what the schema would make of it, or `unfit`. */
export type Reader = (value: unknown) => unknown

interface Def {
  readonly type: string
  readonly checks?: readonly unknown[]
  readonly check?: string
  readonly format?: string
  readonly coerce?: boolean
  readonly shape?: Readonly<Record<string, z.ZodType>>
  readonly catchall?: z.ZodType
  readonly element?: z.ZodType
  readonly innerType?: z.ZodType
}

interface Internals {
  readonly def: Def
  readonly values?: ReadonlySet<unknown>
}

const known = new WeakMap<z.ZodType, Reader>()

/**
 * Makes a reader of a schema that gives the value itself where the schema changes nothing of it: zod copies every object that it reads,
 * and copies of large bodies cost more in garbage than all checks (docs/performance.md). Whatever is not plain is zod's to read, and a
 * reader refuses exactly what zod refuses: why, only zod says. Fields come in the schema's order, as from zod.
 */
export function readerOf (schema: z.ZodType): Reader {
  const before = known.get(schema)
  if (before !== undefined) return before
  let own: Reader = copierOf(schema)
  // Whoever meets it while it is made has met a schema that holds itself.
  known.set(schema, value => own(value))
  own = readerFor(schema)
  known.set(schema, own)
  return own
}

function readerFor (schema: z.ZodType): Reader {
  const { def, values } = schema._zod as unknown as Internals
  if (def.type === 'number' && def.check === 'number_format' && def.format === 'safeint' && (def.checks ?? []).length === 0) return value => Number.isSafeInteger(value) ? value : unfit
  if (!isPlain(def)) return copierOf(schema)
  switch (def.type) {
    case 'string': return value => typeof value === 'string' ? value : unfit
    case 'number': return value => typeof value === 'number' && Number.isFinite(value) ? value : unfit
    case 'boolean': return value => typeof value === 'boolean' ? value : unfit
    case 'null': return value => value === null ? null : unfit
    case 'any': case 'unknown': return value => value
    case 'literal': case 'enum': return value => (values as ReadonlySet<unknown>).has(value) ? value : unfit
    case 'nullable': return nullable(readerOf(def.innerType as z.ZodType))
    case 'optional': return optional(schema, readerOf(def.innerType as z.ZodType))
    case 'array': return list(readerOf(def.element as z.ZodType))
    case 'object': return object(schema, def)
    default: return copierOf(schema)
  }
}

/** Whether a schema is its type and nothing more. */
function isPlain ({ checks = [], coerce, check }: Def): boolean {
  return checks.length === 0 && coerce !== true && check === undefined
}

/** Makes a reader of a schema that leaves all of it to zod, which copies what it reads. */
export function copierOf (schema: z.ZodType): Reader {
  return value => {
    const { success, data } = schema.safeParse(value)
    return success ? data : unfit
  }
}

function nullable (inner: Reader): Reader {
  return value => value === null ? null : inner(value)
}

function optional (schema: z.ZodType, inner: Reader): Reader {
  const missing = copierOf(schema)
  return value => value === undefined ? missing(value) : inner(value)
}

function list (element: Reader): Reader {
  return value => {
    if (!Array.isArray(value)) return unfit
    let copy: unknown[] | undefined
    for (let index = 0; index < value.length; index++) {
      const item: unknown = value[index]
      const read = element(item)
      if (read === unfit) return unfit
      if (read !== item) copy ??= value.slice()
      if (copy !== undefined) copy[index] = read
    }
    return copy ?? value
  }
}

const primitives: Readonly<Record<string, (field: string) => string>> = {
  string: field => `typeof ${field} !== 'string'`,
  number: field => `typeof ${field} !== 'number' || !Number.isFinite(${field})`,
  boolean: field => `typeof ${field} !== 'boolean'`,
}

/** A function for each object, written as text, as zod does it too: reading fields by names that stand in the code takes a fifth of reading them by a list. */
function object (schema: z.ZodType, { shape = {}, catchall }: Def): Reader {
  const keys = Object.keys(shape)
  const rest = catchall?._zod.def.type
  const byZod = copierOf(schema)
  // A key that every object has, and what becomes of unknown ones in a way of their own, is for zod to see to.
  if (keys.some(key => key in Object.prototype) || !(rest === undefined || rest === 'unknown')) return byZod
  const readers = keys.map(key => readerOf(shape[key] as z.ZodType))
  const lines = keys.map((key, at) => {
    const inner = shape[key] as z.ZodType
    const name = JSON.stringify(key)
    const { def } = inner._zod as unknown as Internals
    const refuses = isPlain(def) ? primitives[def.type]?.(`f${at}`) : undefined
    return `
      const f${at} = value[${name}]
      if (f${at} === undefined && !(${name} in value)) ${mayMiss(def) ? '{}' : 'return byZod(value)'}
      else {
        present++
        ${refuses === undefined
    ? `const read = readers[${at}](f${at})
        if (read === unfit) return unfit
        if (read !== f${at}) (copy ??= { ...value })[${name}] = read`
    : `if (${refuses}) return unfit`}
      }`
  })
  // A field that is unknown, or not in its place.
  const misfit = rest === 'unknown' ? "seen === present && !Object.hasOwn(value, '__proto__') ? copy ?? value : byZod(value)" : 'only(keys, copy ?? value)'
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
    return new Function('readers', 'byZod', 'unfit', 'only', 'keys', text)(readers, byZod, unfit, only, keys) as Reader
  } catch {
    // A process may forbid code from text (node --disallow-code-generation-from-strings).
    return byZod
  }
}

/** Whether a field that is missing stays so; one that gets a value from within is zod's to see to. */
function mayMiss ({ type, innerType }: Def): boolean {
  return type === 'optional' && innerType?._zod.optin === undefined
}

/** The fields of these names. */
function only (keys: readonly string[], fields: Readonly<Record<string, unknown>>): object {
  const kept: Record<string, unknown> = {}
  for (const key of keys) if (key in fields) kept[key] = fields[key]
  return kept
}
