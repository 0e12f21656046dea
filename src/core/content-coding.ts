import { listMembers } from './list-header.ts'

/**
 * Reads a `Content-Encoding` header (RFC 9110, section 8.4). Empty list members (section 5.6.1) and `identity` are left
 * out.
 *
 * @param header one line, or several lines in order
 * @returns the codings in lower case, separated by `, `; `undefined` without one
 */
export function contentCodings(header: string | readonly string[] | undefined): string | undefined {
  if (header === undefined || header === 'gzip' || header === 'br') return header
  const codings = listMembers(header)
    .map(coding => coding.toLowerCase())
    .filter(coding => coding !== 'identity')
  return codings.length === 0 ? undefined : codings.join(', ')
}
