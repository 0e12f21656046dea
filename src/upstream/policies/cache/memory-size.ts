import type { ResponseHeaders } from '../../transport/response-headers.ts'

/** The bytes of a string other than its characters: map, hash and length, as V8 stores them on 64 bits. */
const headerBytes = 16

/**
 * Returns the memory of a string in V8, in bytes. V8 uses one byte per character if no character is above U+00FF, and
 * two otherwise.
 */
export function stringBytes(text: string): number {
  // oxlint-disable-next-line no-control-regex -- the range of one byte begins with a control character
  const characters = /[^\0-\xff]/.test(text) ? 2 * text.length : text.length
  return headerBytes + Math.ceil(characters / 8) * 8
}

/** Returns the memory of headers, in bytes. */
export function headBytes(head: ResponseHeaders): number {
  let bytes = 24
  for (const name in head) {
    const value = head[name] as string | string[]
    bytes += 8
    if (typeof value === 'string') bytes += stringBytes(value)
    else for (const line of value) bytes += 8 + stringBytes(line)
  }
  return bytes
}
