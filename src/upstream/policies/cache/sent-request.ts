import { isTraceHeader } from '../../../core/headers.ts'
import { listMembers } from '../../../core/list-header.ts'
import type { ResponseHeaders, SentRequest } from '../../spec/answer.ts'
import { readDirectives } from './directives.ts'

/** Returns whether a request was sent with `Authorization`, added by a declaration, a caller, a token or a layer. */
export function isAuthorized({ headers }: SentRequest): boolean {
  return valueOf(headers, 'authorization') !== undefined
}

/** Returns whether a request was sent with the directive `no-store` (RFC 9111, section 5.2.1.5). */
export function forbidsStoring({ headers }: SentRequest): boolean {
  const control = valueOf(headers, 'cache-control')
  return control !== undefined && readDirectives(control).noStore
}

/**
 * Returns whether an answer varies by a header that the key of an entry does not contain: one that a layer of
 * `layers.attempt` added to the request, or the trace context. The next request may have another value of it (RFC 9111,
 * section 4.1).
 *
 * @param given The headers that the call had when the cache created its key.
 */
export function variesBelow(
  head: ResponseHeaders,
  { headers, layerHeaders }: SentRequest,
  given: SentRequest['layerHeaders'],
): boolean {
  if (head['vary'] === undefined) return false
  return listMembers(head['vary']).some(member => {
    const name = member.toLowerCase()
    if (isTraceHeader(name)) return valueOf(headers, name) !== undefined
    return layerHeaders !== undefined && layerHeaders[name] !== given?.[name]
  })
}

function valueOf(headers: readonly string[], name: string): string | undefined {
  for (let at = 0; at < headers.length; at += 2)
    if ((headers[at] as string).toLowerCase() === name) return headers[at + 1]
  return undefined
}
