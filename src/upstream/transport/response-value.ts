import { spelledHeaders, type HeaderFields } from '../../core/schema/header-fields.ts'
import type { OperationSpec } from '../spec/spec.ts'
import { parseChecked } from './parse-checked.ts'
import type { ResponseHeaders } from './response-headers.ts'

/** Returns the value of an answer: its body, with the status and the headers if its operation gives them. */
export function withResponseHeaders(
  spec: OperationSpec,
  status: number,
  headers: ResponseHeaders,
  value: unknown,
): unknown {
  const { responses, responseHeaders } = spec
  if (responseHeaders === undefined) return responses === undefined ? value : { status, body: value }
  const read = parseChecked(spec, responseHeaders, status, namedHeaders(spec.headerFields as HeaderFields, headers))
  return responses === undefined ? { body: value, headers: read } : { status, body: value, headers: read }
}

/**
 * Returns the response headers that a schema may read. A schema that takes every header gets no cookies: no schema may
 * name them.
 */
function namedHeaders(fields: HeaderFields, headers: ResponseHeaders): object {
  if (fields.isDirect) return headers
  if (!fields.isOpen) return spelledHeaders(fields, headers)
  const { 'set-cookie': _, ...others } = headers
  return spelledHeaders(fields, others, true)
}
