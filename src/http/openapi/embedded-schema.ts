import { z } from 'zod'
import { jsonSchema } from './json-schema.ts'
import { portable } from './portable.ts'
import type { JsonSchema, Side } from './schema-types.ts'
import type { Metadata } from './unrepresentable.ts'

/**
 * Metadata without ids. An id would become a `$ref` within one schema, which has no target in the app's document.
 */
const unnamed: Metadata = {
  get(schema) {
    const { id: _, ...rest } = z.globalRegistry.get(schema) ?? {}
    return rest
  },
  has: schema => z.globalRegistry.has(schema),
}

/** The zod types whose values zod does not know, though they may be JSON. The app may have no document at all. */
const open: ReadonlySet<string> = new Set(['transform', 'custom'])

/**
 * Returns a zod schema as a JSON Schema that stands by itself, in keywords that mean the same in OpenAPI 3.0 and 3.1.
 * Throws a `TypeError` with one line per type that JSON does not have, and its place.
 */
export function embeddedSchema(schema: z.ZodType, side: Side, where: string): JsonSchema {
  const { root, $defs } = jsonSchema(schema, side, where, { metadata: unnamed, open })
  return portable(unrolled(root, { ...$defs, '#': root }, ['#']) as JsonSchema)
}

/**
 * Returns the schema with each reference to one of its parts replaced by that part. A recursive reference is replaced
 * by the empty schema.
 */
function unrolled(value: unknown, parts: Readonly<Record<string, unknown>>, within: readonly string[]): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(each => unrolled(each, parts, within))
  const { $ref, ...rest } = value as { readonly $ref?: unknown }
  if (typeof $ref !== 'string')
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, unrolled(each, parts, within)]))
  const name = $ref.replace('#/$defs/', '')
  return within.includes(name) ? rest : { ...(unrolled(parts[name], parts, [...within, name]) as object), ...rest }
}
