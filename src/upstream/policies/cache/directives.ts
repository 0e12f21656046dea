/** The directives of a `Cache-Control` response header. Times are in ms. */
export interface Directives {
  readonly noStore: boolean
  readonly noCache: boolean
  readonly isPrivate: boolean
  readonly isPublic: boolean
  readonly mustUnderstand: boolean
  readonly mustRevalidate: boolean
  readonly proxyRevalidate: boolean
  readonly maxAge: number | undefined
  readonly sharedMaxAge: number | undefined
  readonly staleWhileRevalidate: number | undefined
  readonly staleIfError: number | undefined
}

/** One directive: a name, a token or a quoted value, and the text before the next comma. */
const directive = /([!#$%&'*+\-.^_`|~0-9A-Za-z]+)(?:=(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?([^,]*)/g

/** Larger values count as this value (RFC 9111, section 1.2.2). */
const mostSeconds = 2 ** 31

/**
 * Reads `Cache-Control` (RFC 9111, section 5.2.2). Unknown directives are ignored. A time that cannot be read counts as
 * 0.
 */
export function readDirectives(header: string | readonly string[] | undefined): Directives {
  const said = new Map<string, (string | undefined)[]>()
  const text = header === undefined ? '' : typeof header === 'string' ? header : header.join(',')
  for (const [, name = '', quoted, token, rest = ''] of text.matchAll(directive)) {
    const key = name.toLowerCase()
    const values = said.get(key)
    // Text after a value makes the meaning of the value unknown.
    const value = rest.trim() === '' ? (quoted?.replaceAll(/\\(.)/g, '$1') ?? token) : undefined
    if (values === undefined) said.set(key, [value])
    else values.push(value)
  }
  return {
    noStore: said.has('no-store'),
    // A `no-cache` or `private` with field names concerns only these fields. RFC 9111 allows a cache to apply it to the
    // whole answer, which is simpler.
    noCache: said.has('no-cache'),
    isPrivate: said.has('private'),
    isPublic: said.has('public'),
    mustUnderstand: said.has('must-understand'),
    mustRevalidate: said.has('must-revalidate'),
    proxyRevalidate: said.has('proxy-revalidate'),
    maxAge: span(said.get('max-age')),
    sharedMaxAge: span(said.get('s-maxage')),
    staleWhileRevalidate: span(said.get('stale-while-revalidate')),
    staleIfError: span(said.get('stale-if-error')),
  }
}

/**
 * Returns a time in ms: `undefined` without a directive, and 0 for a value that cannot be read or for different values.
 */
function span(values: readonly (string | undefined)[] | undefined): number | undefined {
  if (values === undefined) return undefined
  const [first = ''] = values
  if (!/^\d+$/.test(first) || values.some(value => value !== first)) return 0
  return Math.min(Number(first), mostSeconds) * 1000
}
