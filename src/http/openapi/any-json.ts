import { isDeepStrictEqual } from 'node:util'
import type { JsonSchema, NamedParts } from './schema-types.ts'

/**
 * Returns the same parts with the empty schema in place of `z.json()`. zod writes `z.json()` as a schema that contains
 * itself. Both schemas match every JSON value.
 */
export function withoutJsonType({ root, $defs }: NamedParts): NamedParts {
  const refs = new Set(
    Object.keys($defs)
      .map(id => `#/$defs/${id}`)
      .filter(ref => isJsonType($defs[ref.slice('#/$defs/'.length)] as JsonSchema, ref)),
  )
  if (isJsonType(root, '#')) return { root: words(root), $defs }
  if (refs.size === 0) return { root, $defs }
  const kept = Object.entries($defs).filter(([id]) => !refs.has(`#/$defs/${id}`))
  return { root: opened(root, refs), $defs: opened(Object.fromEntries(kept), refs) }
}

function isJsonType(schema: JsonSchema, $ref: string): boolean {
  const { description: _, title: __, ...rest } = schema
  return isDeepStrictEqual(rest, {
    anyOf: [
      { type: 'string' },
      { type: 'number' },
      { type: 'boolean' },
      { type: 'null' },
      { type: 'array', items: { $ref } },
      { type: 'object', additionalProperties: { $ref } },
    ],
  })
}

function words({ title, description }: JsonSchema): JsonSchema {
  return { ...(title !== undefined && { title }), ...(description !== undefined && { description }) }
}

function opened<T>(value: T, refs: ReadonlySet<unknown>): T {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(each => opened(each, refs)) as T
  const entries = Object.entries(value).filter(([key, each]) => key !== '$ref' || !refs.has(each))
  return Object.fromEntries(entries.map(([key, each]) => [key, opened(each, refs)])) as T
}
