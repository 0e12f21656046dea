import { z } from 'zod'
import { jsonSchema } from './json-schema.ts'
import { portable } from './portable.ts'
import { reachOf, withoutRefs } from './references.ts'
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

/**
 * Zod types whose values zod does not know. They may be JSON, so they are not refused: the app may not even have a
 * document.
 */
const open: ReadonlySet<string> = new Set(['transform', 'custom'])

/**
 * Returns a zod schema as a JSON Schema without references, in keywords that mean the same in OpenAPI 3.0 and 3.1.
 * Throws a `TypeError` with one line per type that JSON does not have, and its place.
 */
export function embeddedSchema(schema: z.ZodType, side: Side, where: string): JsonSchema {
  const { root, $defs } = jsonSchema(schema, side, where, { metadata: unnamed, open })
  return portable(unrolled({ ...$defs, '#': root }))
}

/**
 * Returns the root with each reference to a part replaced by that part. A reference from a part to itself, directly or
 * through other parts, is replaced by the empty schema. Otherwise the size of the result would be exponential.
 */
function unrolled(parts: Readonly<Record<string, JsonSchema>>): JsonSchema {
  const reach = reachOf(parts)
  const unroll = (holder: string): JsonSchema =>
    withoutRefs(parts[holder] as JsonSchema, name => (reach.get(name)?.has(holder) ? {} : unroll(name)))
  return unroll('#')
}
