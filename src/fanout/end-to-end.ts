type Headers = Record<string, string | string[] | undefined>

/**
 * The inbound headers without those that `Connection` names: they are meant for this hop alone (RFC 9110, section
 * 7.6.1), so neither a step nor an upstream sees them.
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
 * Headers that code has given, by lower-case name. Several spellings of a name are one header with all their values, as
 * several lines are.
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
