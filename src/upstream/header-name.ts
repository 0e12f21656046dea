const headerName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/** Headers that belong to one connection or to the message's framing (RFC 9110, section 7.6.1), so nobody may set or forward them. */
const ownHeaders = new Set(['host', 'connection', 'content-length', 'content-encoding', 'content-type', 'transfer-encoding', 'keep-alive',
  'proxy-connection', 'proxy-authorization', 'proxy-authenticate', 'te', 'trailer', 'upgrade', 'expect', 'accept-encoding'])

/** Tells whether a text is the name of a header (RFC 9110, section 5.1). */
export function isHeaderName (text: string): boolean {
  return headerName.test(text)
}

/** Refuses, with a `TypeError`, a header that no declaration may set or forward. */
export function checkHeaderName (owner: string, header: string): void {
  if (!headerName.test(header)) throw new TypeError(`${owner}: '${header}' is not the name of a header`)
  if (ownHeaders.has(header.toLowerCase())) {
    throw new TypeError(`${owner}: the header '${header}' belongs to each connection or message itself: leave it out`)
  }
}

/** Refuses, with a `TypeError`, names of headers that differ by case only. */
export function checkSpelling (owner: string, headers: readonly string[]): void {
  const spelled = new Map<string, string>()
  for (const header of headers) {
    const other = spelled.get(header.toLowerCase())
    if (other !== undefined) throw new TypeError(`${owner}: '${other}' and '${header}' are one header, since header names are case-insensitive: keep one`)
    spelled.set(header.toLowerCase(), header)
  }
}
