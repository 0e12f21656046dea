/** The characters of the bytes 0x80 to 0x9f (WHATWG Encoding, index windows-1252). */
const upper =
  '\u20ac\x81\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\x8d\u017d\x8f' +
  '\x90\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\x9d\u017e\u0178'

/** The character of each byte, as UTF-16LE. */
const units = Buffer.from(
  Array.from({ length: 256 }, (_, byte) => upper[byte - 0x80] ?? String.fromCharCode(byte)).join(''),
  'utf16le',
)

/**
 * Decodes windows-1252. The labels of ISO-8859-1 also mean windows-1252 (WHATWG Encoding, section 4.2). `TextDecoder`
 * of Node 24.0 to 24.11 decodes the bytes 0x80 to 0x9f as control characters.
 */
export function decodeWindows1252(body: Buffer): string {
  const text = body.toString('latin1')
  if (!/[\x80-\x9f]/.test(text)) return text
  const wide = Buffer.allocUnsafe(2 * body.length)
  for (let at = 0; at < body.length; at++) {
    const unit = 2 * (body[at] as number)
    wide[2 * at] = units[unit] as number
    wide[2 * at + 1] = units[unit + 1] as number
  }
  return wide.toString('utf16le')
}
