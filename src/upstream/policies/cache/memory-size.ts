import type { ResponseHeaders } from '../../transport/response-headers.ts'

/** Bytes of a string beside its characters: its map, its hash and its length, as V8 lays them out on 64 bits. */
const headerBytes = 16

/**
 * Returns the bytes of memory that a string takes in V8, which has one byte per character where no character is beyond
 * U+00FF, and two otherwise.
 */
export function stringBytes(text: string): number {
  // oxlint-disable-next-line no-control-regex -- the range of one byte begins with a control character
  const characters = /[^\0-\xff]/.test(text) ? 2 * text.length : text.length
  return headerBytes + Math.ceil(characters / 8) * 8
}

/** Returns the bytes of memory that headers take. */
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
