import { trimSpace } from './list-header.ts'

/** A media type (RFC 9110, section 8.3.1). */
export interface MediaType {
  /** Type and subtype in lower case, for example `text/html`. */
  readonly type: string
  /** The first `charset` parameter in lower case; `undefined` without one. */
  readonly charset: string | undefined
}

/**
 * Reads a `Content-Type` header. A header with several members, on one line or on several lines, has a type only if all
 * its members are equal. The case of names and of the charset, white space and quotes are not compared.
 *
 * @param header all lines, separated by commas
 * @returns `undefined` for members that differ
 */
export function readMediaType(header: string): MediaType | undefined {
  const members = splitUnquoted(header, ',').filter(member => member !== '')
  // Some servers send a comma instead of a semicolon: `text/html, charset=utf-8` has one type.
  if (members.length > 1 && members.every((member, index) => index === 0 || isParameter(member)))
    return readMember(members.join(';'))
  const [first = readMember(''), ...others] = members.map(readMember)
  return others.every(({ canonical }) => canonical === first.canonical) ? first : undefined
}

/** Returns whether a media type is JSON: `application/json`, `text/json`, or a subtype with the suffix `+json`. */
export function isJsonType(type: string): boolean {
  return type === 'application/json' || type === 'text/json' || type.endsWith('+json')
}

function isParameter(member: string): boolean {
  const equals = member.indexOf('=')
  const slash = member.indexOf('/')
  return equals !== -1 && (slash === -1 || slash > equals)
}

interface Member extends MediaType {
  /** A text that is the same for equal media types. */
  readonly canonical: string
}

function readMember(member: string): Member {
  const [type = '', ...parameters] = splitUnquoted(member, ';')
  const lower = type.toLowerCase()
  let canonical = lower
  let charset: string | undefined
  for (const parameter of parameters) {
    const equals = parameter.indexOf('=')
    if (equals === -1) continue
    const name = trimSpace(parameter.slice(0, equals)).toLowerCase()
    let value = unquoted(trimSpace(parameter.slice(equals + 1)))
    if (name === 'charset') {
      value = value.toLowerCase()
      // Some servers write charset='utf-8'.
      if (value.startsWith("'") && value.endsWith("'")) value = value.slice(1, -1)
      // Ignore an empty charset.
      if (value !== '') charset ??= value
    }
    canonical += `;${name}=${JSON.stringify(value)}`
  }
  return { type: lower, charset, canonical }
}

/** Splits a text at a separator outside quoted strings (RFC 9110, section 5.6.4), and trims the parts. */
export function splitUnquoted(text: string, separator: string): string[] {
  const parts: string[] = []
  let start = 0
  let isQuoted = false
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (character === '"') isQuoted = !isQuoted
    else if (isQuoted && character === '\\') at++
    else if (!isQuoted && character === separator) {
      parts.push(trimSpace(text.slice(start, at)))
      start = at + 1
    }
  }
  parts.push(trimSpace(text.slice(start)))
  return parts
}

/** Returns the value of a quoted string, and any other text as it is. */
function unquoted(value: string): string {
  if (!value.startsWith('"')) return value
  let text = ''
  for (let at = 1; at < value.length && value[at] !== '"'; at++) {
    if (value[at] === '\\') at++
    text += value[at] ?? ''
  }
  return text
}

/** Characters of a token other than letters and digits (RFC 9110, section 5.6.2). */
const tokenMarks = "!#$%&'*+-.^_`|~"

/**
 * Returns why a text cannot be sent as the media type of a body; `undefined` if it can be sent. Parameters may follow
 * the type. The text has printable ASCII characters only, and no comma outside quotes, which would start another type.
 */
export function mediaTypeFault(text: string): string | undefined {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code < 0x20 || code > 0x7e) return 'it has a character that is not printable ASCII'
  }
  if (splitUnquoted(text, ',').length > 1) return 'it has a comma'
  const semicolon = text.indexOf(';')
  const type = semicolon === -1 ? text : trimSpace(text.slice(0, semicolon))
  const slash = type.indexOf('/')
  return slash !== -1 && isToken(type.slice(0, slash)) && isToken(type.slice(slash + 1))
    ? undefined
    : 'it has no type and subtype'
}

function isToken(text: string): boolean {
  for (const character of text) {
    const isAlphanumeric =
      (character >= 'a' && character <= 'z') ||
      (character >= 'A' && character <= 'Z') ||
      (character >= '0' && character <= '9')
    if (!isAlphanumeric && !tokenMarks.includes(character)) return false
  }
  return text !== ''
}
