import type { ResponseHeaders } from '../../spec/answer.ts'
import type { OperationSpec } from '../../spec/spec.ts'
import type { Entry } from './entry.ts'

/** Headers that make a question conditional. */
export type Condition = Readonly<Record<string, string>>

/**
 * Asks whether an answer is still the one that is kept, by what it was given to be told by; nothing where it was given
 * nothing.
 */
export function conditionOf({ head }: Entry, { responseHeaders }: OperationSpec): Condition | undefined {
  // Response headers that an operation reads are part of its value, which a 304 does not bring up to date.
  if (responseHeaders !== undefined) return undefined
  const { etag, 'last-modified': modified } = head
  if (typeof etag === 'string')
    return typeof modified === 'string'
      ? { 'if-none-match': etag, 'if-modified-since': modified }
      : { 'if-none-match': etag }
  return typeof modified === 'string' ? { 'if-modified-since': modified } : undefined
}

/** Whether a 304 speaks of the answer that is kept (RFC 9111, section 4.3.4): it names the same one, or names none. */
export function matchesValidators(kept: ResponseHeaders, confirmation: ResponseHeaders): boolean {
  const { etag } = confirmation
  return etag === undefined || opaque(etag) === opaque(kept['etag'])
}

/** Headers of a kept answer, brought up to date by a 304. What tells of the time of the old one goes with it. */
export function renewedHead(
  { date: _date, age: _age, ...kept }: ResponseHeaders,
  confirmation: ResponseHeaders,
): ResponseHeaders {
  const { 'content-length': _length, 'content-encoding': _coding, 'content-type': _type, ...fresh } = confirmation
  return { ...kept, ...fresh }
}

function opaque(tag: string | string[] | undefined): string {
  return String(tag).replace(/^W\//, '')
}
