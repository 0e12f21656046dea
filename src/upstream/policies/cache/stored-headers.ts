import { listMembers } from '../../../core/list-header.ts'
import type { ResponseHeaders } from '../../spec/answer.ts'

/** Headers of one connection or one hop (RFC 9111, section 3.1; RFC 9110, section 7.6.1), except `Proxy-…`. */
const hopHeaders = new Set(['connection', 'keep-alive', 'te', 'transfer-encoding', 'upgrade'])

/** Headers that a 304 does not change, because the stored body was read with them (RFC 9111, section 3.2). */
const bodyHeaders = new Set(['content-length', 'content-encoding', 'content-type', 'content-range'])

const none: ReadonlySet<string> = new Set()

/**
 * Returns the names of headers that belong only to the connection, as the answer's `Connection` lists them. Headers of
 * the body are excluded, because the body is read with them. A `Connection` that names one of these is wrong (RFC 9110,
 * section 7.6.1).
 */
function namedByConnection({ connection }: ResponseHeaders): ReadonlySet<string> {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return none
  const names = listMembers(connection).map(name => name.toLowerCase())
  return new Set(names.filter(name => !bodyHeaders.has(name)))
}

/**
 * Returns the headers of an answer that may be stored. Headers of its connection may not, also if only `Connection`
 * names them.
 *
 * @returns The same object if all headers may be stored.
 */
export function storableHeaders(head: ResponseHeaders): ResponseHeaders {
  const named = namedByConnection(head)
  const isStorable = (name: string) => !hopHeaders.has(name) && !name.startsWith('proxy-') && !named.has(name)
  if (Object.keys(head).every(isStorable)) return head
  return Object.fromEntries(Object.entries(head).filter(([name]) => isStorable(name)))
}

/**
 * Returns the headers in `names` that an answer has and that may be stored. `names` contains no header of a connection.
 */
export function pickStorable(head: ResponseHeaders, names: readonly string[]): ResponseHeaders {
  const named = namedByConnection(head)
  const picked: Record<string, string | string[]> = {}
  for (const name of names) {
    const value = head[name]
    if (value !== undefined && !named.has(name)) picked[name] = value
  }
  return picked
}

/**
 * Returns the headers of a stored answer, updated with the headers of a 304 (RFC 9111, section 3.2). `Date` and `Age`
 * of the stored answer are dropped.
 */
export function updatedHeaders(
  { date: _date, age: _age, ...kept }: ResponseHeaders,
  confirmation: ResponseHeaders,
): ResponseHeaders {
  const fresh = Object.entries(storableHeaders(confirmation)).filter(([name]) => !bodyHeaders.has(name))
  return { ...kept, ...Object.fromEntries(fresh) }
}
