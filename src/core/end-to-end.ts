type Headers = Record<string, string | string[] | undefined>

/**
 * Returns the inbound headers without the headers that `Connection` names. Those headers apply to one hop only (RFC
 * 9110, section 7.6.1), so steps and upstreams must not receive them.
 */
export function endToEnd(headers: Headers): Headers {
  const { connection } = headers
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return headers
  const named = new Set(
    String(connection)
      .toLowerCase()
      .split(',')
      .map(name => name.trim()),
  )
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !named.has(name)))
}

/**
 * Returns headers that code has supplied, by lower-case name. Several spellings of a name become one header with all
 * values, like several lines of a header.
 */
export function lowerCased(headers: Readonly<Headers>): Headers {
  const lower = new Map<string, Headers[string]>()
  for (const [spelling, value] of Object.entries(headers)) {
    const name = spelling.toLowerCase()
    const before = lower.get(name)
    lower.set(
      name,
      before === undefined || value === undefined
        ? (value ?? before)
        : [before, value].flat().join(name === 'cookie' ? '; ' : ', '),
    )
  }
  return Object.fromEntries(lower)
}
