const headerName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/**
 * Headers that belong to one connection (RFC 9110, section 7.6.1; RFC 7540, section 3.2.1) or to the message's framing.
 * These headers, and all headers that begin with `proxy-`, cannot be set or forwarded.
 */
const ownHeaders = new Set([
  'host',
  'connection',
  'content-length',
  'content-encoding',
  'content-type',
  'transfer-encoding',
  'keep-alive',
  'te',
  'trailer',
  'upgrade',
  'expect',
  'accept-encoding',
  'http2-settings',
])

/** Returns whether a text is the name of a header (RFC 9110, section 5.1). */
export function isHeaderName(text: string): boolean {
  return headerName.test(text)
}

/** Refuses, with a `TypeError`, a header that no declaration may set or forward. */
export function checkHeaderName(owner: string, header: string): void {
  if (!headerName.test(header)) throw new TypeError(`${owner}: '${header}' is not the name of a header`)
  const name = header.toLowerCase()
  if (ownHeaders.has(name) || name.startsWith('proxy-')) {
    throw new TypeError(
      `${owner}: the header '${header}' belongs to one connection or to the message framing: remove it`,
    )
  }
}

/** Headers of a request that are not forwarded, and why. */
const unforwardable = new Map([
  ['set-cookie', 'is a response header'],
  ['range', 'requests a partial response, and a call needs the complete response'],
  ...['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since', 'if-range'].map(
    name => [name, "refers to the response that the caller has stored, not to the upstream's response"] as const,
  ),
  ...['content-range', 'content-digest', 'content-md5', 'digest', 'repr-digest'].map(
    name => [name, "describes the body of the caller's request, not the body of the call"] as const,
  ),
  ['x-headwaters-fault', 'asks for rehearsed faults of one run, which an upstream must not see'],
])

/** Returns why a header of a request cannot be forwarded; `undefined` if it can be forwarded. */
export function forwardFault(header: string): string | undefined {
  return unforwardable.get(header.toLowerCase())
}

/**
 * Returns whether a header, by its lower-case name, tells the position of a request in a trace. Its value differs from
 * request to request, so it is part of no key and of no `vary`.
 */
export function isTraceHeader(name: string): boolean {
  return name === 'traceparent' || name === 'tracestate'
}

/** Returns the value of a header, by lower-case name. Inherited properties, such as `constructor`, are not headers. */
export function headerOf<V>(headers: Readonly<Record<string, V>>, name: string): V | undefined {
  return Object.hasOwn(headers, name) ? headers[name] : undefined
}

/** Refuses, with a `TypeError`, names of headers that differ by case only. */
export function checkSpelling(owner: string, headers: readonly string[]): void {
  const spelled = new Map<string, string>()
  for (const header of headers) {
    const other = spelled.get(header.toLowerCase())
    if (other !== undefined)
      throw new TypeError(
        `${owner}: '${other}' and '${header}' are the same header, because header names are case-insensitive: keep one`,
      )
    spelled.set(header.toLowerCase(), header)
  }
}
