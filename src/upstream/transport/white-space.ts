import type { ResponseHeaders } from './response-headers.ts'

const space = 0x20
const tab = 0x09

/**
 * Returns a head without the white space behind its values, which is not part of them (RFC 9112, section 5). undici's
 * parser takes away the white space in front of a value only. A tab behind `Transfer-Encoding` stays: the parser then
 * reads no chunks.
 * @returns The same object where no value ends with white space.
 */
export function withoutWhiteSpace(head: ResponseHeaders): ResponseHeaders {
  for (const name in head) {
    const value = head[name]
    if (typeof value === 'string' ? endsWithSpace(value) : value?.some(endsWithSpace)) return trimmed(head)
  }
  return head
}

/**
 * Returns whether undici refused a complete body for the white space behind its `Content-Length` alone. undici counts
 * each character of it as one more digit, and so expects another length than its parser has read.
 * @param bytes Length of the body that came.
 */
export function isComplete(error: Error & { readonly code?: string }, head: ResponseHeaders, bytes: number): boolean {
  return error.code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH' && Number(head['content-length']) === bytes
}

function trimmed(head: ResponseHeaders): ResponseHeaders {
  return Object.fromEntries(
    Object.entries(head).map(([name, value]) => {
      const trim = name === 'transfer-encoding' ? withoutSpaces : withoutPadding
      return [name, typeof value === 'string' ? trim(value) : value?.map(trim)]
    }),
  )
}

function endsWithSpace(value: string): boolean {
  return isSpace(value.charCodeAt(value.length - 1))
}

function isSpace(code: number): boolean {
  return code === space || code === tab
}

function withoutPadding(value: string): string {
  let end = value.length
  while (isSpace(value.charCodeAt(end - 1))) end--
  return value.slice(0, end)
}

function withoutSpaces(value: string): string {
  let end = value.length
  while (value.charCodeAt(end - 1) === space) end--
  return value.slice(0, end)
}
