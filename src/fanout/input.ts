import type { z } from 'zod'
import { Problem, reasonOf, type Fault } from '../errors.ts'
import { faultOf } from '../upstream/json/number-fault.ts'
import { wireSchema } from '../upstream/json/wire-schema.ts'
import type { Route } from './route.ts'

/** The parts of a request, as they came. */
export interface RawInput {
  readonly params?: unknown
  readonly query?: unknown
  readonly body?: unknown
  /** By lower-case name; also what an upstream's `forward` picks from. */
  readonly headers?: Readonly<Record<string, string | string[] | undefined>>
}

/** The parts of a request, by the aggregate's schemas. */
export interface ReadInput {
  readonly params: unknown
  readonly query: unknown
  readonly body: unknown
  readonly headers: unknown
}

const nothing = Object.freeze({})

/** Faults told of one part: who sends more of them than this has no use for a longer list. */
const mostFaults = 100

/** Reads all parts of an input in one pass; throws `INPUT_INVALID` with every fault of every part, and those found before. */
export function readInput (route: Route, raw: RawInput, found: readonly Fault[] = []): ReadInput {
  const faults = [...found]
  const input = {
    params: read('params', route.params, raw.params, faults),
    query: read('query', route.query, raw.query, faults),
    body: read('body', route.body, raw.body, faults),
    headers: read('headers', route.headers, raw.headers, faults),
  }
  if (faults.length > 0) {
    throw new Problem('INPUT_INVALID', { detail: `${faults.length === 1 ? 'One part of the input' : `${faults.length} parts of the input`} cannot be read: see errors.`, faults })
  }
  return input
}

function read (part: string, schema: z.ZodType | undefined, value: unknown, faults: Fault[]): unknown {
  if (schema === undefined) return nothing
  const given = part === 'body' ? value : fromText(schema, value ?? nothing)
  const { success, data, error } = wireSchema(schema).safeParse(given)
  if (success) return data
  for (const issue of error.issues.slice(0, mostFaults)) {
    faults.push({ pointer: ['', part, ...issue.path.map(key => String(key).replaceAll('~', '~0').replaceAll('/', '~1'))].join('/'), reason: faultOf(issue) ?? reasonOf(issue) })
  }
  return undefined
}

interface TextFields {
  /** Fields that are numbers, or lists of them. */
  readonly numbers: readonly string[]
  readonly lists: readonly string[]
}

const known = new WeakMap<z.ZodType, TextFields>()

/**
 * Text becomes what is declared, where JavaScript would read too much or too little into it: one value of a list is a list of one,
 * and a text is a number where JSON would read one, so not when it is empty or `0x10`. Only a body has types of its own.
 */
function fromText (schema: z.ZodType, value: unknown): unknown {
  let textFields = known.get(schema)
  if (textFields === undefined) known.set(schema, textFields = textFieldsOf(schema))
  const fields = value as Readonly<Record<string, unknown>>
  const changed: Record<string, unknown> = {}
  for (const name of textFields.lists) if (typeof fields[name] === 'string') changed[name] = [fields[name]]
  for (const name of textFields.numbers) {
    const given = changed[name] ?? fields[name]
    if (isNoNumber(given) || (Array.isArray(given) && given.some(isNoNumber))) changed[name] = withoutNumber(given)
  }
  return Object.keys(changed).length === 0 ? value : { ...fields, ...changed }
}

function withoutNumber (value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNumber)
  return isNoNumber(value) ? Number.NaN : value
}

function isNoNumber (value: unknown): boolean {
  return typeof value === 'string' && !/^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(value)
}

interface Def {
  readonly type: string
  readonly innerType?: z.ZodType
  readonly in?: z.ZodType
  readonly element?: z.ZodType
  readonly shape?: Record<string, z.ZodType>
}

function textFieldsOf (schema: z.ZodType): TextFields {
  const { shape, innerType, in: source } = schema._zod.def as unknown as Def
  if (shape === undefined) return innerType ?? source ? textFieldsOf((innerType ?? source) as z.ZodType) : { numbers: [], lists: [] }
  const typed = (types: readonly string[]) => Object.keys(shape).filter(name => types.some(type => holds(shape[name] as z.ZodType, type)))
  return { numbers: typed(['number', 'bigint']), lists: typed(['array']) }
}

/** Whether a schema is of a type, or a list of it, under whatever default, option or pipe. */
function holds (schema: z.ZodType, wanted: string): boolean {
  const { type, innerType, in: source, element } = schema._zod.def as unknown as Def
  const inner = innerType ?? source ?? element
  return type === wanted || (inner !== undefined && holds(inner, wanted))
}
