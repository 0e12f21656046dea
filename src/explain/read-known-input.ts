import { z } from 'zod'
import { namesCredential } from '../core/redacted-query.ts'
import { headerFields } from '../core/schema/header-fields.ts'
import { fieldsOf } from '../core/schema/wrapped.ts'
import { readInput, type RawInput, type ReadInput } from '../fanout/input.ts'
import type { Route } from '../fanout/route.ts'
import { placeholder } from './placeholder.ts'
import type { TemplateBook } from './template-book.ts'

type TextPart = 'params' | 'query' | 'headers'

const textParts: readonly TextPart[] = ['params', 'query', 'headers']

/**
 * Reads an input of which parts may be missing. A field that is given is read by its schema. A field that is required
 * and missing, and a field that is named as a secret, is a placeholder.
 *
 * @throws Problem `INPUT_INVALID` with all faults of the given fields.
 */
export function readKnownInput(route: Route, raw: RawInput, book: TemplateBook): ReadInput {
  const missing: Readonly<Record<TextPart, readonly string[]>> = {
    params: missingFields(route, 'params', raw),
    query: missingFields(route, 'query', raw),
    headers: missingFields(route, 'headers', raw),
  }
  const lacksBody = route.body !== undefined && raw.body === undefined && !route.body.safeParse(undefined).success
  const read = readInput(lacksBody ? { ...reduced(route, missing), body: undefined } : reduced(route, missing), raw)
  return {
    params: withPlaceholders('params', route.params, read.params, missing.params, book),
    query: withPlaceholders('query', route.query, read.query, missing.query, book),
    headers: withPlaceholders('headers', route.headers, read.headers, missing.headers, book),
    body: lacksBody ? placeholder(book, 'body') : read.body,
  }
}

/** Returns the names of the fields of a part that are required and not given. */
function missingFields(route: Route, part: TextPart, raw: RawInput): string[] {
  const schema = route[part]
  if (schema === undefined) return []
  const given = namesOf(part, raw[part] ?? {})
  const isGiven = (name: string) => given.has(part === 'headers' ? name.toLowerCase() : name)
  return Array.from(fieldsOf(schema))
    .filter(([name, { isRequired }]) => isRequired && !isGiven(name))
    .map(([name]) => name)
}

function namesOf(part: TextPart, given: object): ReadonlySet<string> {
  const names = Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [name]))
  return new Set(part === 'headers' ? names.map(name => name.toLowerCase()) : names)
}

/**
 * Returns the route with schemas that do not have the missing fields. A check of several fields together does not apply
 * then, because it would need all of them. A part whose schema changes its fields is not read.
 */
function reduced(route: Route, missing: Readonly<Record<TextPart, readonly string[]>>): Route {
  let own = route
  for (const part of textParts) {
    const { [part]: whole } = route
    const without = missing[part]
    if (without.length === 0) continue
    const schema = whole instanceof z.ZodObject ? objectWithout(whole, without) : undefined
    own = {
      ...own,
      [part]: schema,
      texts: { ...own.texts, [part]: undefined },
      ...(part === 'headers' && { headerFields: schema && headerFields('explain, headers', schema) }),
    }
  }
  return own
}

function objectWithout(schema: z.ZodType, names: readonly string[]): z.ZodType {
  const fields = Array.from(fieldsOf(schema)).filter(([name]) => !names.includes(name))
  return z.object(Object.fromEntries(fields.map(([name, field]) => [name, field.schema])))
}

/** Returns a part with placeholders. A part whose schema changes its fields is one placeholder if a field is missing. */
function withPlaceholders(
  part: TextPart,
  schema: z.ZodType | undefined,
  read: unknown,
  missing: readonly string[],
  book: TemplateBook,
): unknown {
  if (missing.length > 0 && !(schema instanceof z.ZodObject)) return placeholder(book, part)
  if (typeof read !== 'object' || read === null) return read
  const hidden = [...missing, ...Object.keys(read).filter(namesCredential)]
  if (hidden.length === 0) return read
  return { ...read, ...Object.fromEntries(hidden.map(name => [name, placeholder(book, `${part}.${name}`)])) }
}
