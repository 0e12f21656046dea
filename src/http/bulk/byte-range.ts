import type { ByteRange } from '../../bulk/object-store.ts'

/**
 * Reads a `range` header (RFC 9110, section 14.2).
 *
 * @param size The number of bytes that can be read.
 * @returns The range; `undefined` if the header selects nothing of the results; `'whole'` without a header, and for a
 *   header with another unit or several ranges, which a server may ignore.
 */
export function readRange(header: string | undefined, size: number): ByteRange | 'whole' | undefined {
  const [, first, last] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? '') ?? []
  if (first === undefined || last === undefined || first + last === '') return 'whole'
  if (first === '') {
    const start = Math.max(0, size - Number(last))
    return start < size ? { start, end: size } : undefined
  }
  const start = Number(first)
  const end = last === '' ? size : Number(last) + 1
  if (last !== '' && end <= start) return 'whole'
  return start < size ? { start, end: Math.min(end, size) } : undefined
}
