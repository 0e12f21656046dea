import type { z } from 'zod'

type JsonSchema = Readonly<Record<string, unknown>>

interface Check {
  readonly _zod: { readonly def: { readonly check: string; readonly inclusive?: boolean; readonly value?: unknown } }
}

interface Def {
  readonly type: string
  readonly format?: string
  readonly values?: readonly unknown[]
  readonly defaultValue?: unknown
  readonly checks?: readonly Check[]
}

const formats: Readonly<Record<string, JsonSchema>> = {
  int64: { format: 'int64' },
  uint64: { format: 'uint64', minimum: 0 },
}

/** Returns the JSON Schema of a schema with bigints, which zod cannot represent: an integer. */
export function integerForm(schema: z.core.$ZodType): JsonSchema | undefined {
  const { type, format, values = [], defaultValue, checks = [] } = schema._zod.def as Def
  switch (type) {
    case 'bigint':
      return { type: 'integer', ...formats[format ?? 'int64'], ...boundsOf(checks) }
    case 'literal':
      return literalForm(values)
    case 'default':
    case 'prefault':
      return { default: defaultValue }
    // The replacement for an invalid value is not documented.
    case 'catch':
      return {}
    default:
      return undefined
  }
}

function literalForm(values: readonly unknown[]): JsonSchema | undefined {
  if (values.includes(undefined)) return undefined
  if (!values.every(value => typeof value === 'bigint')) return { enum: values }
  return { type: 'integer', ...(values.length === 1 ? { const: values[0] } : { enum: values }) }
}

/** Returns the checks of a bigint as JSON Schema keywords. The last check of a kind applies. */
function boundsOf(checks: readonly Check[]): JsonSchema {
  return Object.fromEntries(
    checks.flatMap(
      ({
        _zod: {
          def: { check, inclusive, value },
        },
      }) => {
        const keyword = keywords[check]
        return keyword === undefined
          ? []
          : [[inclusive === false ? `exclusive${keyword.replace('m', 'M')}` : keyword, value]]
      },
    ),
  )
}

const keywords: Readonly<Record<string, string>> = {
  greater_than: 'minimum',
  less_than: 'maximum',
  multiple_of: 'multipleOf',
}

/**
 * The prefix of a text that replaces an integer while zod converts its schema to JSON. It begins with NUL, so that no
 * other text can equal it.
 */
const mark = '\0integer:'

/** Returns the same JSON with each bigint as a number, or as text if a number cannot represent it. */
export function withoutBigints(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : `${mark}${value}`
  if (Array.isArray(value)) return value.map(withoutBigints)
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withoutBigints(each)]))
}

/** Restores the bigints of `withoutBigints` during parsing: `JSON.parse(text, revive)`. */
export function revive(_key: string, value: unknown): unknown {
  return typeof value === 'string' && value.startsWith(mark) ? BigInt(value.slice(mark.length)) : value
}
