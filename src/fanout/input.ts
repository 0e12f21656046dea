import type { z } from 'zod'
import { Problem, type Fault } from '../errors.ts'
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
  const given = part === 'body' ? value : withPlainNumbers(schema, value ?? nothing)
  const { success, data, error } = schema.safeParse(given)
  if (success) return data
  for (const { path, message } of error.issues) {
    faults.push({ pointer: ['', part, ...path.map(key => String(key).replaceAll('~', '~0').replaceAll('/', '~1'))].join('/'), reason: message })
  }
  return undefined
}

const numbers = new WeakMap<z.ZodType, readonly string[]>()

/** A text is a number where JSON would read one, so not when it is empty or `0x10`, as JavaScript has it; only a body has numbers of its own. */
function withPlainNumbers (schema: z.ZodType, value: unknown): unknown {
  let names = numbers.get(schema)
  if (names === undefined) numbers.set(schema, names = numericFields(schema))
  const fields = value as Readonly<Record<string, unknown>>
  const odd = names.filter(name => isNoNumber(fields[name]) || (Array.isArray(fields[name]) && fields[name].some(isNoNumber)))
  return odd.length === 0 ? value : { ...fields, ...Object.fromEntries(odd.map(name => [name, withoutNumber(fields[name])])) }
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

function numericFields (schema: z.ZodType): string[] {
  const { shape, innerType, in: source } = schema._zod.def as unknown as Def
  if (shape === undefined) return innerType ?? source ? numericFields((innerType ?? source) as z.ZodType) : []
  return Object.keys(shape).filter(name => isNumeric(shape[name] as z.ZodType))
}

/** A number, or a list of them, under whatever default, option or pipe. */
function isNumeric (schema: z.ZodType): boolean {
  const { type, innerType, in: source, element } = schema._zod.def as unknown as Def
  const inner = innerType ?? source ?? element
  return type === 'number' || type === 'bigint' || (inner !== undefined && isNumeric(inner))
}
