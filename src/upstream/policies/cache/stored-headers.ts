import { listMembers } from '../../../core/list-header.ts'
import type { ResponseHeaders } from '../../spec/answer.ts'

/** Headers of one connection or one hop (RFC 9111, section 3.1; RFC 9110, section 7.6.1), beside `Proxy-…`. */
const hopHeaders = new Set(['connection', 'keep-alive', 'te', 'transfer-encoding', 'upgrade'])

/** Headers that a 304 does not change: what is kept was read by the old ones (RFC 9111, section 3.2). */
const bodyHeaders = new Set(['content-length', 'content-encoding', 'content-type', 'content-range'])

const none: ReadonlySet<string> = new Set()

/**
 * Returns the names of headers that an answer says are of its connection alone. Those of its body are not among them,
 * because the body is read by them: a `Connection` that names one is wrong (RFC 9110, section 7.6.1).
 */
function namedByConnection({ connection }: ResponseHeaders): ReadonlySet<string> {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return none
  const names = listMembers(connection).map(name => name.toLowerCase())
  return new Set(names.filter(name => !bodyHeaders.has(name)))
}

/**
 * Returns the headers of an answer that may be stored: those of its connection stay out, also those that it names.
 *
 * @returns the same object if all of them may be stored
 */
export function storableHeaders(head: ResponseHeaders): ResponseHeaders {
  const named = namedByConnection(head)
  const isStorable = (name: string) => !hopHeaders.has(name) && !name.startsWith('proxy-') && !named.has(name)
  if (Object.keys(head).every(isStorable)) return head
  return Object.fromEntries(Object.entries(head).filter(([name]) => isStorable(name)))
}

/** Returns those of some headers that an answer has and that may be stored; `names` has none of a connection. */
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
 * Returns the headers of a kept answer, updated by those of a 304 (RFC 9111, section 3.2). The time and the age of the
 * old answer are dropped.
 */
export function updatedHeaders(
  { date: _date, age: _age, ...kept }: ResponseHeaders,
  confirmation: ResponseHeaders,
): ResponseHeaders {
  const fresh = Object.entries(storableHeaders(confirmation)).filter(([name]) => !bodyHeaders.has(name))
  return { ...kept, ...Object.fromEntries(fresh) }
}
