import { headerValueFault } from '../core/header-value.ts'
import { checkObject } from '../core/option-values.ts'
import { ignoreRejection } from '../core/promises.ts'

/** The headers of a reply, checked, by lower-case name. */
export type ReplyHeaders = Readonly<Record<string, string | readonly string[]>>

const headerName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/** Headers that the service writes itself, or that belong to the connection. */
const ours: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'date',
  'content-length',
  'content-type',
  'content-encoding',
  'cache-status',
  'age',
  'etag',
  'vary',
  'server-timing',
  'x-request-id',
  'traceparent',
])

/** The place of headers in the code of an author, for messages. */
export interface HeadersPlace {
  /** The owner of the headers, for example `aggregate 'cats'`. */
  readonly owner: string
  /** The name of the option, for example `headers of onReply()`. */
  readonly option: string
  /** The beginning of a message about one header, for example `aggregate 'cats': onReply() returned`. */
  readonly action: string
  /** Further headers that are refused, by lower-case name, with the fix. */
  readonly refused: Readonly<Record<string, string>>
}

/**
 * Returns a copy of headers that an author's function has made.
 *
 * @throws {TypeError} for a header that only the service sets, or that cannot be sent
 */
export function readHeaders({ owner, option, action, refused }: HeadersPlace, given: object): ReplyHeaders {
  checkObject(owner, option, given, "{ 'x-a': '1' }")
  const headers: Record<string, string | readonly string[]> = {}
  for (const [name, value] of Object.entries(given as Readonly<Record<string, unknown>>)) {
    const lower = name.toLowerCase()
    if (!headerName.test(name)) throw new TypeError(`${action} '${name}', which is not a valid header name`)
    // The server keeps the headers of a reply in an object, and an assignment to this name sets its prototype.
    if (lower === '__proto__') throw new TypeError(`${action} the header '${name}', which cannot be sent: rename it`)
    if (ours.has(lower) || lower.startsWith('headwaters-'))
      throw new TypeError(`${action} the header '${name}', which only the service sets: remove it`)
    if (Object.hasOwn(refused, lower))
      throw new TypeError(`${action} the header '${name}', which the service sets here: ${refused[lower]}`)
    if (Object.hasOwn(headers, lower))
      throw new TypeError(`${action} the header '${name}' in two spellings: return several values as a list`)
    const fault = valueFault(lower, value)
    if (fault !== undefined) throw new TypeError(`${action} an invalid value of the header '${name}': ${fault}`)
    headers[lower] = Array.isArray(value) ? [...(value as readonly string[])] : (value as string)
  }
  return headers
}

/** Headers with exactly one value, and the function that finds a fault in it. */
const singleValues: Readonly<Record<string, (value: string) => string | undefined>> = {
  location: locationFault,
  'cache-control': value => (value.trim() === '' ? "it is empty: write a directive such as 'no-store'" : undefined),
}

function valueFault(lower: string, value: unknown): string | undefined {
  const lines: readonly unknown[] = Array.isArray(value) ? value : [value]
  for (const line of lines) {
    const fault = headerValueFault(line)
    if (fault === undefined) continue
    // The values may contain a promise, and its unhandled rejection would end the process.
    lines.forEach(ignoreRejection)
    return fault
  }
  const faultOf = Object.hasOwn(singleValues, lower) ? singleValues[lower] : undefined
  if (faultOf === undefined) return undefined
  return typeof value === 'string' ? faultOf(value) : 'it must be one string, got a list'
}

/** Characters that a URI never contains, although they are visible (RFC 3986, section 2). */
const notInUris = '"<>\\^`{|}'

/** Returns why a text is not a URI reference, with the fix; `undefined` if it is one. */
function locationFault(value: string): string | undefined {
  if (value === '') return 'it is empty: write a URL or a path'
  for (const character of value)
    if (character <= ' ' || character > '~' || notInUris.includes(character))
      return `a URI does not contain '${character}': encode each part of the path with encodeURIComponent(…)`
  return URL.canParse(value, 'http://localhost') ? undefined : 'it is not a URI: write a URL or a path'
}
