import { readHttpDate } from '../../../core/http-date.ts'
import type { ResponseHeaders } from '../../spec/answer.ts'

/** Returns the entity tag of an answer; `undefined` for several tags. */
export function etagOf({ etag }: ResponseHeaders): string | undefined {
  return typeof etag === 'string' ? etag : undefined
}

/** Returns the `Last-Modified` of an answer; `undefined` if it is not a date. */
export function lastModifiedOf({ 'last-modified': modified }: ResponseHeaders): string | undefined {
  return typeof modified === 'string' && readHttpDate(modified) !== undefined ? modified : undefined
}

/** Returns whether a conditional request for the answer is possible. */
export function hasValidator(head: ResponseHeaders): boolean {
  return etagOf(head) !== undefined || lastModifiedOf(head) !== undefined
}

/**
 * Returns whether a 304 confirms the stored answer (RFC 9111, section 4.3.4). A strong entity tag decides alone.
 * Otherwise each validator of the 304 must match the validator of the stored answer. A 304 without validators confirms
 * the answer whose validators the request had.
 */
export function matchesValidators(kept: ResponseHeaders, confirmation: ResponseHeaders): boolean {
  const { etag, 'last-modified': modified } = confirmation
  if (etag !== undefined) {
    if (typeof etag !== 'string') return false
    if (!etag.startsWith('W/')) return etag === kept['etag']
    if (etag.slice(2) !== opaque(kept['etag'])) return false
  }
  return modified === undefined || isSameMoment(modified, kept['last-modified'])
}

type Value = string | string[] | undefined

/** Returns the tag without its weakness prefix, for weak comparison (RFC 9110, section 8.8.3.2). */
function opaque(tag: Value): string | undefined {
  if (typeof tag !== 'string') return undefined
  return tag.startsWith('W/') ? tag.slice(2) : tag
}

function isSameMoment(one: Value, other: Value): boolean {
  if (typeof one !== 'string' || typeof other !== 'string') return false
  return one === other || (readHttpDate(one) ?? Number.NaN) === readHttpDate(other)
}
