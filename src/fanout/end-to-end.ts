import type { RawInput } from './input.ts'

type Headers = NonNullable<RawInput['headers']>

/**
 * The inbound headers without those that `Connection` names: they are meant for this hop alone (RFC 9110, section 7.6.1), so neither
 * a step nor an upstream sees them.
 */
export function endToEnd (headers: Headers): Headers {
  const { connection } = headers
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return headers
  const named = new Set(String(connection).toLowerCase().split(',').map(name => name.trim()))
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !named.has(name)))
}
