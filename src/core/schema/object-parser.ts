import type { z } from 'zod'
import { generate } from '../generate.ts'
import { hasDoubtful } from '../json/integers.ts'
import { INVALID, isPlain, type Def, type Internals, type Parser } from './parser-parts.ts'

/** Code that is true for a field that a primitive type refuses. */
const refusals: Readonly<Record<string, (field: string, isWire: boolean) => string>> = {
  string: field => `typeof ${field} !== 'string'`,
  number: (field, isWire) =>
    `typeof ${field} !== 'number' || ` +
    `${isWire ? `!(${field} < ${2 ** 53} && ${field} > ${-(2 ** 53)})` : `!Number.isFinite(${field})`}`,
  boolean: field => `typeof ${field} !== 'boolean'`,
}

/** The options with which an object parser is compiled. */
export interface ObjectParserOptions {
  /** True if the values come from `JSON.parse`. */
  readonly isWire: boolean
  /** The parser that leaves the object to zod. */
  readonly zodParser: Parser
  /** Compiles the parser of a field. */
  readonly compile: (schema: z.ZodType) => Parser
}

/**
 * Generates the code of a parser for an object schema, as zod does. Reading fields by names in the code takes a fifth
 * of the time of reading them by a list of names. The result has its fields in the order of the schema, as with zod.
 */
export function compileObjectParser(
  { shape = {}, catchall }: Def,
  { isWire, zodParser, compile }: ObjectParserOptions,
): Parser {
  const keys = Object.keys(shape)
  const rest = catchall?._zod.def.type
  // zod parses objects with a key that every object inherits, and objects that refuse unknown keys.
  if (keys.some(key => key in Object.prototype) || rest === 'never') return zodParser
  const parseRest =
    catchall === undefined || rest === 'unknown' ? undefined : restParser(keys, compile(catchall), zodParser)
  const parsers = keys.map(key => compile(shape[key] as z.ZodType))
  const lines = keys.map((key, at) => {
    const inner = shape[key] as z.ZodType
    const name = JSON.stringify(key)
    const { def } = inner._zod as unknown as Internals
    const refusal = isPlain(def) ? refusals[def.type]?.(`f${at}`, isWire) : undefined
    return `
      const f${at} = value[${name}]
      if (f${at} === undefined && !(${name} in value)) ${mayMiss(def) ? '{}' : 'return zodParser(value)'}
      else {
        present++
        ${
          refusal === undefined
            ? `const parsed = parsers[${at}](f${at})
        if (parsed === INVALID) return INVALID
        if (parsed !== f${at}) (copy ??= { ...value })[${name}] = parsed`
            : `if (${refusal}) return INVALID`
        }
      }`
  })
  // The result for a key that is unknown, or not in the order of the schema.
  const unordered =
    parseRest !== undefined
      ? 'parseRest(value, copy, seen === present)'
      : rest === 'unknown'
        ? `${isWire ? 'hasDoubtful(value) ? INVALID : ' : ''}seen === present && ` +
          `!Object.hasOwn(value, '__proto__') ? copy ?? value : zodParser(value)`
        : 'pick(keys, copy ?? value)'
  const code = `return function parse (value) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return INVALID
    const prototype = Object.getPrototypeOf(value)
    if (prototype !== Object.prototype && prototype !== null) return zodParser(value)
    let copy
    let present = 0
    ${lines.join('')}
    let at = 0
    let seen = 0
    for (const key in value) {
      while (at < ${keys.length} && keys[at] !== key) at++
      if (at === ${keys.length}) return ${unordered}
      seen++
      at++
    }
    return copy ?? value
  }`
  const values = { parsers, zodParser, INVALID, pick, keys, hasDoubtful, parseRest }
  return generate<Parser>(code, values) ?? zodParser
}

/** Returns whether a missing field stays missing. zod parses objects with a field that has a default. */
function mayMiss({ type, innerType }: Def): boolean {
  return type === 'optional' && innerType?._zod.optin === undefined
}

/** Returns the parser of the fields that `catchall` parses. They follow the other fields, as with zod. */
function restParser(keys: readonly string[], parse: Parser, zodParser: Parser) {
  const named = new Set(keys)
  return (value: Readonly<Record<string, unknown>>, copy: Record<string, unknown> | undefined, isInOrder: boolean) => {
    if (Object.hasOwn(value, '__proto__')) return zodParser(value)
    let changed = isInOrder ? copy : (pick(keys, copy ?? value) as Record<string, unknown>)
    for (const key in value) {
      if (named.has(key)) continue
      const item = value[key]
      const own = parse(item)
      if (own === INVALID) return INVALID
      if (own !== item || !isInOrder) (changed ??= { ...value })[key] = own
    }
    return changed ?? value
  }
}

/** Returns the fields with these names. */
function pick(keys: readonly string[], fields: Readonly<Record<string, unknown>>): object {
  const kept: Record<string, unknown> = {}
  for (const key of keys) if (key in fields) kept[key] = fields[key]
  return kept
}
