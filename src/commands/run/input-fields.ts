import { z } from 'zod'
import { fieldsOf } from '../../core/schema/wrapped.ts'
import type { AnyAggregate } from '../../fanout/aggregate.ts'

/** A path parameter or a query parameter of an aggregate. */
export interface InputField<Part extends string = 'params' | 'query'> {
  readonly part: Part
  readonly name: string
  /** The description in the schema. */
  readonly description: string | undefined
  /** True if every request must contain the value. */
  readonly isRequired: boolean
  readonly schema: z.ZodType
}

/** The keywords of a JSON Schema that the help text uses. */
interface JsonSchema {
  readonly $ref?: string | undefined
  readonly $defs?: Readonly<Record<string, JsonSchema>>
  readonly type?: string
  readonly format?: string
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly default?: unknown
  readonly anyOf?: readonly JsonSchema[]
  readonly items?: JsonSchema
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
  readonly description?: string
}

/** The depth to which a schema is read. The help text shows each type on one line and needs no deeper schema. */
const deepest = 4

/** Returns the path parameters of an aggregate, then its query parameters. */
export function inputFields(aggregate: AnyAggregate): InputField[] {
  return (['params', 'query'] as const).flatMap(part => fieldsOfPart(aggregate, part))
}

/** Returns the values of an enum, or an empty array for another type. */
export function valuesOf({ schema }: InputField): string[] {
  return jsonSchemaOf(schema).enum?.map(String) ?? []
}

/** Returns the help text for the input of an aggregate, with names, types, defaults and descriptions. */
export function fieldsHelp(aggregate: AnyAggregate): string {
  const { name, route } = aggregate
  const fields = inputFields(aggregate).map(field => [`--${field.name} ${typeOf(field)}`, noteOf(field)] as const)
  const headers = fieldsOfPart(aggregate, 'headers').map(
    field => [`--header '${field.name}: ${typeOf(field)}'`, noteOf(field)] as const,
  )
  const body = route.body === undefined ? undefined : bodyHelp(route.body)
  const rows = [...fields, ...headers, ...(body ?? [])]
  const width = Math.max(0, ...rows.map(([left]) => left.length))
  const lines = rows.map(([left, note]) => `  ${left.padEnd(width)}  ${note}`.trimEnd())
  return `\nFields of ${name}\n${lines.length === 0 ? '  none' : lines.join('\n')}\n`
}

function fieldsOfPart<const Part extends 'params' | 'query' | 'headers'>(
  { route }: AnyAggregate,
  part: Part,
): InputField<Part>[] {
  const schema = route[part]
  if (schema === undefined) return []
  return Array.from(fieldsOf(schema), ([name, field]) => ({
    part,
    name,
    description: field.schema.description,
    isRequired: field.isRequired,
    schema: field.schema,
  }))
}

function bodyHelp(body: z.ZodType): (readonly [string, string])[] {
  const schema = jsonSchemaOf(body)
  const note = body.safeParse(undefined).success ? '' : 'required'
  const rows = Object.entries(schema.properties ?? {}).map(
    ([name, field]) =>
      [
        `    ${name}: ${typeText(field)}`,
        notes(
          schema.required?.includes(name) === true && field.default === undefined,
          field.default,
          field.description,
        ),
      ] as const,
  )
  return [
    [`--body ${rows.length === 0 ? typeText(schema) : 'object'}`, notes(note !== '', undefined, schema.description)],
    ...rows,
  ]
}

function typeOf({ schema }: InputField<string>): string {
  return typeText(jsonSchemaOf(schema))
}

function noteOf({ schema, isRequired, description }: InputField<string>): string {
  return notes(isRequired, jsonSchemaOf(schema).default, description)
}

function notes(isRequired: boolean, value: unknown, description: string | undefined): string {
  return [
    ...(isRequired ? ['required'] : []),
    ...(value === undefined ? [] : [`default ${JSON.stringify(value)}`]),
    ...(description === undefined ? [] : [description]),
  ].join('; ')
}

/** Returns the JSON Schema for the input of a zod schema, or `{}`, which allows any value, if zod cannot create it. */
function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  try {
    const root = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema
    return withoutRefs(root, root.$defs ?? {}, deepest)
  } catch {
    return {}
  }
}

/** Replaces each `$ref` by the schema that it refers to. */
function withoutRefs(schema: JsonSchema, named: Readonly<Record<string, JsonSchema>>, depth: number): JsonSchema {
  if (depth === 0) return {}
  const inner = (each: JsonSchema) => withoutRefs(each, named, depth - 1)
  const target = schema.$ref === undefined ? undefined : named[schema.$ref.replace('#/$defs/', '')]
  if (target !== undefined) return inner({ ...target, ...schema, $ref: undefined })
  const { items, anyOf, properties } = schema
  return {
    ...schema,
    ...(items !== undefined && { items: inner(items) }),
    ...(anyOf !== undefined && { anyOf: anyOf.map(inner) }),
    ...(properties !== undefined && {
      properties: Object.fromEntries(Object.entries(properties).map(([name, each]) => [name, inner(each)])),
    }),
  }
}

function typeText(schema: JsonSchema): string {
  const { type, format, items, anyOf } = schema
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum !== undefined) return schema.enum.map(value => String(value)).join('|')
  if (anyOf !== undefined) return [...new Set(anyOf.map(typeText))].join('|')
  if (type === 'array') return `${typeText(items ?? {})}[]`
  if (type === 'integer' || type === 'number') return `${type}${rangeText(schema)}`
  return format ?? type ?? 'value'
}

/** Returns the bounds of a number, for example ` 1..50`. Omits the bounds of safe integers, which zod adds. */
function rangeText({ minimum = -Infinity, maximum = Infinity }: JsonSchema): string {
  const low = minimum > Number.MIN_SAFE_INTEGER ? String(minimum) : ''
  const high = maximum < Number.MAX_SAFE_INTEGER ? String(maximum) : ''
  return low === '' && high === '' ? '' : ` ${low}..${high}`
}
