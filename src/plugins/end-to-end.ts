import type { IncomingHttpHeaders } from 'node:http'

/** The headers that are for whoever answers: those that `connection` names end with the connection (RFC 9110, section 7.6.1). */
export function endToEnd (headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const { connection } = headers
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return headers
  const named = new Set(connection.toLowerCase().split(',').map(name => name.trim()))
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !named.has(name)))
}
