import { types } from 'node:util'
import { spelledHeaders } from '../core/schema/header-fields.ts'
import { inboundHeaders, type HeaderReads, type InboundHeaders } from '../upstream/call/inbound.ts'
import type { Route } from './route.ts'

/**
 * Returns the input of a headers schema: the headers that the schema names, in the spelling of the schema. A schema
 * that can read other headers gets all headers, and each header that it reads is recorded.
 */
export function headerInput(
  { headerFields: fields }: Route,
  headers: InboundHeaders,
  reads: HeaderReads | undefined,
): object {
  if (fields === undefined || fields.isDirect) return headers
  if (!fields.isOpen) return spelledHeaders(fields, headers)
  const inbound = inboundHeaders(headers, reads, fields.spelled)
  return fields.isFrozen ? { ...inbound } : inbound
}

/**
 * Copies headers that a schema has returned unchanged. The copy ensures that all reads are recorded before the reply is
 * written, and that steps get plain objects.
 */
export function settledHeaders(given: object, read: unknown, { headerFields: fields }: Route): unknown {
  if (fields?.isOpen === true) return withoutViews(read, [])
  return read === given ? { ...given } : read
}

/**
 * Replaces each recording view in a value by a copy. A function in the schema may have put a view anywhere in the
 * value.
 */
function withoutViews(value: unknown, within: readonly object[]): unknown {
  if (typeof value !== 'object' || value === null || within.includes(value)) return value
  if (types.isProxy(value)) return { ...value }
  if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) return value
  const inside = [...within, value]
  let copy: Record<string, unknown> | undefined
  for (const [key, item] of Object.entries(value) as [string, unknown][]) {
    const settled = withoutViews(item, inside)
    if (settled !== item)
      (copy ??= (Array.isArray(value) ? [...(value as unknown[])] : { ...value }) as Record<string, unknown>)[key] =
        settled
  }
  return copy ?? value
}
