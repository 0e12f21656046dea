import { spelledHeaders } from '../upstream/header-fields.ts'
import { inboundHeaders, type HeaderReads, type InboundHeaders } from '../upstream/inbound.ts'
import type { Route } from './route.ts'

/**
 * Makes what a schema of headers reads: the headers that it names, in its own spelling. A schema that can read more is given all of them,
 * and what it reads is recorded.
 */
export function headerInput ({ headerFields: fields }: Route, headers: InboundHeaders, reads: HeaderReads | undefined): object {
  if (fields === undefined || fields.isDirect) return headers
  if (!fields.isOpen) return spelledHeaders(fields, headers)
  const inbound = inboundHeaders(headers, reads, fields.spelled)
  return fields.isFrozen ? { ...inbound } : inbound
}

/** Copies headers that a schema lets through as they came, so that steps see a plain object. */
export function settledHeaders (given: object, read: unknown): unknown {
  return read === given ? { ...given } : read
}
