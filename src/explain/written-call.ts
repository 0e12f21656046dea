import type { z } from 'zod'
import { fieldsOf } from '../core/schema/wrapped.ts'
import { Call } from '../upstream/call/call.ts'
import type { Fields } from '../upstream/call/parse-input.ts'
import { writeQuery } from '../upstream/call/query.ts'
import { MultipartBody, type RequestBody } from '../upstream/call/write-body/request-body.ts'
import type { OperationSpec } from '../upstream/spec/spec.ts'
import { fillTemplate } from '../upstream/spec/template.ts'
import { tokenOf } from './placeholder.ts'
import type { TemplateBook } from './template-book.ts'

/** The depth to which an input is searched for values that are not known. */
const deepest = 8

/**
 * Writes a call whose input has values that are not known, by the functions that write every call. A field that has
 * such a value is not checked by its schema, because a token is a text of any form.
 *
 * @throws The given error if the input has no such value. Its fault would also be that of the true call.
 */
export function writtenCall(spec: OperationSpec, input: Fields, book: TemplateBook, error: unknown): Call<unknown> {
  const { template, params, query, headers, name } = spec
  let hasUnknown = false
  const filled = (value: unknown, level = 0): unknown => {
    const token = typeof value === 'number' && Number.isNaN(value) ? book.tokenOf('a number') : tokenOf(value)
    if (token !== undefined || (typeof value === 'string' && book.hasToken(value))) {
      hasUnknown = true
      book.wrote(token ?? (value as string))
      return token ?? value
    }
    if (typeof value !== 'object' || value === null || level === deepest) return value
    if (Array.isArray(value)) return value.map(item => filled(item, level + 1))
    return Object.getPrototypeOf(value) === Object.prototype
      ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, filled(item, level + 1)]))
      : value
  }
  const fields = filled(tokenOf(input) === undefined ? input : fieldsIn(spec, input)) as Fields
  if (!hasUnknown) throw error
  const path = params === undefined ? template.path : fillTemplate(template, readPart(params, fields), name)
  const text = query === undefined ? '' : writeQuery(readPart(query, fields), name)
  return new Call(
    spec,
    path + text,
    bodyOf(spec, fields),
    spec.idempotencyKey === undefined ? undefined : 'not made',
    headers === undefined ? undefined : namesOf(headers, fields),
  )
}

/** Returns the fields that a call needs from an input that is not known as a whole. */
function fieldsIn({ params, query, body, headers }: OperationSpec, input: Fields): Fields {
  const names = [params, query].flatMap(schema => (schema === undefined ? [] : Array.from(fieldsOf(schema))))
  const needed = names.filter(([, { isRequired }]) => isRequired).map(([name]) => name)
  if (body !== undefined) needed.push('body')
  if (headers !== undefined) needed.push('headers')
  return Object.fromEntries(needed.map(name => [name, input[name]]))
}

/** Reads the fields of a part by their own schemas. A field that its schema refuses stays as it is. */
function readPart(schema: z.ZodType, fields: Fields): Record<string, unknown> {
  const known = fieldsOf(schema)
  if (known.size === 0) return { ...fields }
  const read: Record<string, unknown> = {}
  for (const [name, field] of known) {
    const { success, data } = field.schema.safeParse(fields[name])
    const value = success ? data : fields[name]
    if (value !== undefined) read[name] = value
  }
  return read
}

/** Returns a body of the right format. Its content is never shown. */
function bodyOf({ body, bodyType }: OperationSpec, fields: Fields): RequestBody | undefined {
  if (body === undefined || fields['body'] === undefined) return undefined
  return bodyType === 'multipart' ? new MultipartBody('multipart/form-data', new Uint8Array()) : ''
}

function namesOf({ names }: NonNullable<OperationSpec['headers']>, { headers }: Fields): Record<string, string> {
  const given = Object(headers) as Fields
  const sent = Array.from(names).filter(([name]) => given[name] !== undefined && given[name] !== null)
  return Object.fromEntries(sent.map(([, lower]) => [lower, 'not shown']))
}
