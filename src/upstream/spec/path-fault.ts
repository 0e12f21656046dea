import { readings } from '../../core/url-text.ts'

/** Texts that every server reads unchanged. */
const unambiguous = /^[ -$&-[\]-~]*$/

/** A dot segment in an unambiguous text. */
const dots = /(?:^|\/) *\. *(?:\. *)?(?:$|[/;?#])/

const dotFault = `a '.' or '..' segment`

/**
 * Characters at which a server may end a segment: its parameters (RFC 3986, section 3.3), a NUL, a query or a fragment.
 */
// oxlint-disable-next-line no-control-regex -- C ends a text at a NUL
const endOfSegment = /[;?#\0]/

/**
 * Characters that a server may remove from a segment: white space, invisible characters, and the replacement character.
 */
const dropped = /[\s\p{Cf}\ufffd]/gu

/**
 * Returns the part of a text that a server could misread in a path, in a form for "holds …"; `undefined` for a safe
 * text. Each of the `readings` of the text must have the same number of slashes as the text, no segment `.` or `..`,
 * and no NUL. Segments are compared without `;` parameters, white space and unreadable characters.
 */
export function pathFault(text: string): string | undefined {
  if (isUnambiguous(text)) return dots.test(text) ? dotFault : undefined
  const all = readings(text)
  if (all === undefined) return 'a value that is percent-encoded too many times'
  if (all.some(hasDots)) return dotFault
  if (all.some(reading => reading.includes('\0'))) return 'a NUL character'
  const slashes = slashesIn(text)
  return all.some(reading => slashesIn(reading) !== slashes) ? 'a backslash or a slash that is encoded' : undefined
}

/** Returns whether every server reads a text unchanged. */
export function isUnambiguous(text: string): boolean {
  return unambiguous.test(text)
}

function slashesIn(text: string): number {
  let count = 0
  for (let at = text.indexOf('/'); at !== -1; at = text.indexOf('/', at + 1)) count++
  return count
}

function hasDots(reading: string): boolean {
  return reading.includes('.') && reading.split('/').some(isDots)
}

function isDots(segment: string): boolean {
  const [own = ''] = segment.split(endOfSegment, 1)
  const seen = own.replaceAll(dropped, '')
  return seen === '.' || seen === '..'
}
