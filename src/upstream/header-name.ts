const headerName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/** Headers that belong to one connection or to the message's framing (RFC 9110, section 7.6.1), so nobody may set or forward them. */
const ownHeaders = new Set(['host', 'connection', 'content-length', 'content-encoding', 'content-type', 'transfer-encoding', 'keep-alive',
  'proxy-connection', 'proxy-authorization', 'proxy-authenticate', 'te', 'trailer', 'upgrade', 'expect', 'accept-encoding'])

/** Refuses, with a `TypeError`, a header that no declaration may set or forward. */
export function checkHeaderName (owner: string, header: string): void {
  if (!headerName.test(header)) throw new TypeError(`${owner}: '${header}' is not the name of a header`)
  if (ownHeaders.has(header.toLowerCase())) {
    throw new TypeError(`${owner}: the header '${header}' belongs to each connection or message itself: leave it out`)
  }
}
