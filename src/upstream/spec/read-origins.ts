import type { OriginOptions } from './origin-options.ts'

const attributes = 'use weight=N, addresses and srv=NAME'

/**
 * Reads a list of origins such as `http://a:8080;weight=2, http://b;addresses, http://c;srv=_http._tcp.c.example`. The
 * values are not checked.
 *
 * @param list - The name of the list in messages.
 * @throws `TypeError` that names the entry and the fix.
 */
export function readOrigins(list: string, text: string): readonly OriginOptions[] {
  // A separator within a user or a password would show a part of it in a message.
  if (text.includes('@')) throw new TypeError(`${list} must not contain '@': send credentials as a header`)
  const entries = text
    .split(',')
    .map(entry => entry.trim())
    .filter(entry => entry !== '')
  return entries.map((entry, at) => readOrigin(`${list}[${at}]`, entry))
}

function readOrigin(owner: string, entry: string): OriginOptions {
  const [origin = '', ...parts] = entry.split(';').map(part => part.trim())
  const read: Record<string, number | string | boolean> = {}
  for (const part of parts) {
    const equals = part.indexOf('=')
    const name = equals === -1 ? part : part.slice(0, equals).trim()
    const value = equals === -1 ? undefined : part.slice(equals + 1).trim()
    if (Object.hasOwn(read, name)) throw new TypeError(`${owner}: ${name} is set twice: remove one of them`)
    read[name] = valueOf(owner, name, value)
  }
  return { origin, ...read }
}

function valueOf(owner: string, name: string, value: string | undefined): number | string | boolean {
  if (name === 'addresses' && value === undefined) return true
  if (name === 'srv' && value !== undefined) return value
  if (name !== 'weight' || value === undefined)
    throw new TypeError(
      `${owner}: the attribute '${value === undefined ? name : `${name}=${value}`}' is not known: ${attributes}`,
    )
  const weight = Number(value)
  if (value === '' || Number.isNaN(weight))
    throw new TypeError(`${owner}: weight must be a whole number, got '${value}'`)
  return weight
}
