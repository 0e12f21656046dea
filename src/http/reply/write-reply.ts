import { hash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { hasBigint } from '../../core/json/needs-exact.ts'
import { writeJson } from '../../core/json/write.ts'
import type { AnyAggregate } from '../../fanout/aggregate.ts'
import type { Reply } from '../../fanout/reply.ts'
import { notModified } from './not-modified.ts'
import { setSourceHeaders } from './source-headers.ts'
import { addVary } from './vary.ts'

/**
 * Sets the headers of an aggregate's reply and returns its body. Returns undefined if it has replied with 304.
 *
 * @param text The data as JSON, if it is already written. A reply without this text is not cacheable.
 * @param vary The `vary` of a cacheable reply; undefined sends `no-store`.
 */
export function writeReply(
  { route, schema }: AnyAggregate,
  { data, complete, sources, headers }: Reply<unknown, string>,
  text: string | undefined,
  vary: string | undefined,
  request: FastifyRequest,
  reply: FastifyReply,
): string | undefined {
  reply.header('content-type', 'application/json; charset=utf-8')
  setSourceHeaders(reply, sources, !route.envelope)
  if (headers !== undefined) reply.headers(headers as Record<string, string | string[]>)
  const isExact = hasBigint(schema)
  // A partial reply is never cached and has no entity tag.
  if (text === undefined || vary === undefined) reply.header('cache-control', 'no-store')
  else {
    const tag = `W/"${hash('sha1', text, 'base64url')}"`
    reply.header('cache-control', route.cacheControl).header('etag', tag)
    addVary(reply, vary)
    if (notModified(request, reply, tag)) return undefined
  }
  // If there is no text, the whole envelope is written at once, because concatenation would copy the text again.
  if (route.envelope)
    return text === undefined
      ? writeJson({ data: data ?? null, complete, sources }, isExact)
      : `{"data":${text},"complete":${complete},"sources":${JSON.stringify(sources)}}`
  reply.header('headwaters-complete', complete ? '?1' : '?0')
  return text ?? writeJson(data ?? null, isExact)
}
