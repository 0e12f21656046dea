import { z } from 'zod'
import { hasDoubtful } from '../json/integers.ts'
import { isAnyJson } from '../json/parts.ts'
import { exactSchema } from '../json/wire-schema.ts'
import { ignoreRejection } from '../promises.ts'
import { checkedParser } from './checked-values.ts'
import { compileObjectParser } from './object-parser.ts'
import {
  INVALID,
  isAnyText,
  isPlain,
  isPlainInt,
  isPlainUnion,
  leafParser,
  listParser,
  literalParser,
  nullableParser,
  optionalParser,
  parseAnyJson,
  parseInteger,
  recordParser,
  unionParser,
  type Internals,
  type Parser,
} from './parser-parts.ts'
import { Unreadable } from './text-values.ts'

export { INVALID } from './parser-parts.ts'

/** The source of the values that parsers are compiled for. */
interface Source {
  readonly known: WeakMap<z.ZodType, Parser>
  /** True if the values come from `JSON.parse`, which rounds large integers silently. */
  readonly isWire: boolean
  /** Returns a parser that leaves a schema to zod. */
  readonly zodParser: (schema: z.ZodType) => Parser
  readonly compile: (schema: z.ZodType) => Parser
}

const values: Source = { known: new WeakMap(), isWire: false, zodParser, compile: compileParser }
const wire: Source = { known: new WeakMap(), isWire: true, zodParser: zodWireParser, compile: compileWireParser }

/**
 * Compiles a parser of a schema. The parser returns the value itself if the schema changes nothing: zod copies every
 * object, and copies of large bodies cost more in garbage collection than all checks (docs/performance.md). zod parses
 * every schema that is not plain. A parser refuses exactly what zod refuses; only zod gives the reason.
 */
export function compileParser(schema: z.ZodType): Parser {
  return compileFor(schema, values)
}

/**
 * Compiles a parser of values from `JSON.parse`. It refuses each number that may differ from the one in the text. A
 * refused value must be parsed again with `parseExact` and `wireSchema`, which decide. The check of each number has no
 * measurable cost here, whereas a search of the text takes a fifth of the time of parsing it.
 */
export function compileWireParser(schema: z.ZodType): Parser {
  return compileFor(schema, wire)
}

function compileFor(schema: z.ZodType, source: Source): Parser {
  const { known } = source
  const before = known.get(schema)
  if (before !== undefined) return before
  let parser: Parser = source.zodParser(schema)
  // A schema that contains itself is met again before its parser is complete.
  known.set(schema, value => parser(value))
  parser = parserFor(schema, source)
  known.set(schema, parser)
  return parser
}

function parserFor(schema: z.ZodType, source: Source): Parser {
  const { isWire, compile } = source
  const { def, values } = schema._zod as unknown as Internals
  if (isPlainInt(def)) return parseInteger
  if (!isPlain(def)) {
    const zodParser = source.zodParser(schema)
    return checkedParser(def, isWire, zodParser) ?? zodParser
  }
  if (def.read !== undefined)
    return isWire ? source.zodParser(schema) : readParser(def.read, compile(def.innerType as z.ZodType))
  switch (def.type) {
    case 'lazy':
      return isWire && isAnyJson(schema) ? parseAnyJson : source.zodParser(schema)
    case 'literal':
    case 'enum':
      return isWire && [...(values as ReadonlySet<unknown>)].some(hasDoubtful)
        ? source.zodParser(schema)
        : literalParser(values as ReadonlySet<unknown>)
    case 'nullable':
      return nullableParser(compile(def.innerType as z.ZodType))
    case 'optional':
      return optionalParser(source.zodParser(schema), compile(def.innerType as z.ZodType))
    case 'array':
      return listParser(compile(def.element as z.ZodType))
    case 'object':
      return compileObjectParser(def, { isWire, zodParser: source.zodParser(schema), compile })
    case 'union':
      return isPlainUnion(def)
        ? unionParser((def.options as readonly z.ZodType[]).map(compile), isWire)
        : source.zodParser(schema)
    case 'record':
      return isWire && isAnyText(def.keyType as z.ZodType)
        ? recordParser(compile(def.valueType as z.ZodType), source.zodParser(schema))
        : source.zodParser(schema)
    default:
      return leafParser(def, isWire) ?? source.zodParser(schema)
  }
}

/** Returns the parser of a schema that reads the result of a function. */
function readParser(read: (value: unknown) => unknown, inner: Parser): Parser {
  return value => {
    const own = read(value)
    return own instanceof Unreadable ? INVALID : inner(own)
  }
}

/** The context of `safeParse`. */
const synchronous: z.core.ParseContextInternal = { async: false }

/** Returns a parser that leaves a schema to zod, which copies what it parses. */
export function zodParser(schema: z.ZodType): Parser {
  return value => {
    // `safeParse` does the same, and creates a context and a result for each value.
    const result = schema._zod.run({ value, issues: [] }, synchronous)
    if (!(result instanceof Promise)) return result.issues.length === 0 ? result.value : INVALID
    ignoreRejection(result)
    throw new z.core.$ZodAsyncError()
  }
}

/** Leaves a schema of the wire to zod. zod cannot see that a number differs from the one in the text. */
function zodWireParser(schema: z.ZodType): Parser {
  let parse: Parser | undefined
  return value => {
    if (hasDoubtful(value)) return INVALID
    parse ??= zodParser(exactSchema(schema))
    return parse(value)
  }
}
