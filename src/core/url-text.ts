import { textOf } from './json/integers.ts'

/** The largest number of times that a text is decoded. A legitimate value is not encoded more often. */
const mostRounds = 8

/**
 * The largest number of characters of all decoded readings together. NFKD expands one character to up to 18 characters,
 * and each round processes all of them.
 */
const mostCharacters = 128 * 1024

/** A run of percent-encoded bytes, or a `%u` escape. */
const escapes = /%u([0-9a-f]{4})|(?:%[0-9a-f]{2})+/gi

/**
 * Control characters other than NUL, which a URL parser may drop (WHATWG URL, section 4.4), and the character that
 * replaces bytes that are not UTF-8.
 */
// oxlint-disable-next-line no-control-regex -- the regex must match control characters
const dropped = /[\x01-\x1f\x7f-\x9f\ufffd]/g

/**
 * The length of a sequence for a first byte below a bound, as `[bound, length]`. A length of 0 means that the byte
 * cannot begin a sequence. This is the first form of UTF-8 (RFC 2279), which allows up to 6 bytes and over-long
 * sequences.
 */
const lengths = [
  [0x80, 1],
  [0xc0, 0],
  [0xe0, 2],
  [0xf0, 3],
  [0xf8, 4],
  [0xfc, 5],
  [0xfe, 6],
] as const

/**
 * Runs of characters that are neither ASCII nor combining marks. Marks do not become ASCII, and ICU takes n² steps to
 * order n marks.
 */
// oxlint-disable-next-line no-control-regex -- all of ASCII
const compatibles = /[^\x00-\x7f\p{M}]+/gu

/**
 * Returns a value as text for a URL: a date as ISO 8601, a lone surrogate as U+FFFD.
 *
 * @returns `undefined` for a value without a text: an object, a list, a number that is not finite, an invalid date
 */
export function urlText(value: unknown): string | undefined {
  if (typeof value === 'string') return value.toWellFormed()
  if (typeof value === 'number') return Number.isFinite(value) ? textOf(value) : undefined
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  return value instanceof Date && !Number.isNaN(value.getTime()) ? value.toISOString() : undefined
}

/**
 * Returns the texts that a server may read from a text: the text without decoding, decoded once, decoded twice, and so
 * on. Decoding includes `%u` escapes and over-long UTF-8. In each reading, compatibility characters such as U+FF0E are
 * replaced (NFKD yields the same ASCII characters as NFKC), control characters and invalid bytes are dropped, and a
 * backslash is a slash.
 *
 * @returns `undefined` for a text that is encoded more than 8 times, or whose decoded readings have more than 128 Ki
 *   characters together
 */
export function readings(text: string): readonly string[] | undefined {
  let reading = plain(text)
  const all = [reading]
  let characters = 0
  for (let round = 0; round <= mostRounds; round++) {
    const next = reading.replaceAll(escapes, decoded)
    if (next === reading) return all
    characters += next.length
    if (characters > mostCharacters) return undefined
    all.push((reading = plain(next)))
  }
  return undefined
}

function plain(text: string): string {
  return text
    .replaceAll(compatibles, run => run.normalize('NFKD'))
    .replaceAll(dropped, '')
    .replaceAll('\\', '/')
}

function decoded(escape: string, unit: string | undefined): string {
  return unit === undefined
    ? utf8(Buffer.from(escape.replaceAll('%', ''), 'hex'))
    : String.fromCharCode(Number.parseInt(unit, 16))
}

/**
 * Decodes UTF-8, including over-long sequences. A byte that does not belong to a sequence becomes U+FFFD, which `plain`
 * drops.
 */
function utf8(bytes: Buffer): string {
  const characters: string[] = []
  for (let at = 0; at < bytes.length;) {
    const first = bytes[at] as number
    const length = lengths.find(([below]) => first < below)?.[1] ?? 0
    let point = length === 1 ? first : first & (0x7f >> length)
    let end = at + 1
    for (; end < at + length && ((bytes[end] ?? 0) & 0xc0) === 0x80; end++)
      point = (point << 6) | ((bytes[end] as number) & 0x3f)
    const isWhole = end === at + length && point >= 0 && point <= 0x10ffff
    characters.push(isWhole ? String.fromCodePoint(point) : '\ufffd')
    at = isWhole ? end : at + 1
  }
  return characters.join('')
}
