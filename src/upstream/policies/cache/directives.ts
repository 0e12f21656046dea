/** The directives of an answer's `Cache-Control`; times are in ms. */
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

/** One directive: a name, a value that is a token or in quotes, and what stands between it and the next comma. */
const directive = /([!#$%&'*+\-.^_`|~0-9A-Za-z]+)(?:=(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?([^,]*)/g

/** Larger ones count as this (RFC 9111, section 1.2.2). */
const mostSeconds = 2 ** 31

/**
 * Reads `Cache-Control` (RFC 9111, section 5.2.2). What it does not know it passes over; what it cannot read counts
 * against keeping.
 */
export function readDirectives(header: string | readonly string[] | undefined): Directives {
  const said = new Map<string, (string | undefined)[]>()
  const text = header === undefined ? '' : typeof header === 'string' ? header : header.join(',')
  for (const [, name = '', quoted, token, rest = ''] of text.matchAll(directive)) {
    const key = name.toLowerCase()
    const values = said.get(key)
    // Nothing may stand behind a value: it is not known then what it means.
    const value = rest.trim() === '' ? (quoted?.replaceAll(/\\(.)/g, '$1') ?? token) : undefined
    if (values === undefined) said.set(key, [value])
    else values.push(value)
  }
  return {
    noStore: said.has('no-store'),
    // Those that name fields speak of these fields alone; taking them for the whole answer is allowed, and simpler.
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

/** A span in ms; nothing where nothing is said, and 0 where it cannot be read or is said twice differently. */
function span(values: readonly (string | undefined)[] | undefined): number | undefined {
  if (values === undefined) return undefined
  const [first = ''] = values
  if (!/^\d+$/.test(first) || values.some(value => value !== first)) return 0
  return Math.min(Number(first), mostSeconds) * 1000
}
