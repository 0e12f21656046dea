import type { JsonSchema } from './schema-types.ts'

/**
 * Returns the schema of a value in which a reference may replace each field and each item. The fields of a named schema
 * are not changed, since other parts of the document use it too: a reference replaces the whole value there.
 *
 * @param reference The schema of a reference.
 */
export function withReferences(schema: JsonSchema, reference: JsonSchema): JsonSchema {
  const inner = (part: JsonSchema) => withReferences(part, reference)
  const value = (part: unknown) => (isSchema(part) ? orReference(inner(part), reference) : part)
  // A reference can stand in the place of the field that tells the options apart, so several options may match.
  const { discriminator: _, oneOf, ...rest } = schema
  const draft = Object.fromEntries(
    Object.entries(rest).map(([keyword, part]) => {
      switch (keyword) {
        case 'properties':
        case 'patternProperties':
          return [keyword, mapped(part as Readonly<Record<string, unknown>>, value)]
        case 'items':
        case 'additionalProperties':
          return [keyword, value(part)]
        case 'prefixItems':
          return [keyword, (part as readonly unknown[]).map(value)]
        case 'allOf':
        case 'anyOf':
          return [keyword, (part as readonly JsonSchema[]).map(inner)]
        default:
          return [keyword, part]
      }
    }),
  )
  if (oneOf === undefined) return draft
  const options = { anyOf: (oneOf as readonly JsonSchema[]).map(inner) }
  return draft['anyOf'] === undefined
    ? { ...draft, ...options }
    : { ...draft, allOf: [...((draft['allOf'] as readonly JsonSchema[] | undefined) ?? []), options] }
}

function isSchema(part: unknown): part is JsonSchema {
  return typeof part === 'object' && part !== null
}

function mapped(parts: Readonly<Record<string, unknown>>, to: (part: unknown) => unknown): object {
  return Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, to(part)]))
}

/** Returns the schema of a value or a reference to one. A schema that accepts every value stays as it is. */
function orReference(schema: JsonSchema, reference: JsonSchema): JsonSchema {
  const { description, ...rest } = schema
  const keywords = Object.keys(rest)
  if (keywords.every(keyword => keyword === 'examples' || keyword === 'title')) return schema
  const options = keywords.length === 1 && Array.isArray(rest['anyOf']) ? (rest['anyOf'] as JsonSchema[]) : [rest]
  return { ...(description !== undefined && { description }), anyOf: [...options, reference] }
}
