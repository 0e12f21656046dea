import { hash } from 'node:crypto'
import type { OutgoingHttpHeaders } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { hasBigint } from '../../core/json/needs-exact.ts'
import { writeJson } from '../../core/json/write.ts'
import type { AnyAggregate } from '../../fanout/aggregate.ts'
import type { Reply } from '../../fanout/reply.ts'
import type { SourcesLevel } from '../../fanout/sources-level.ts'
import { cacheControlOf } from './cache-control.ts'
import { notModified } from './not-modified.ts'
import { setShownHeaders, shownSources } from './shown-sources.ts'
import { addVary } from './vary.ts'

/**
 * Sets the status and the headers of an aggregate's reply and returns its body. Returns undefined if it has replied
 * already, with 304 or without a body.
 *
 * @param level The part of the sources that the caller sees.
 * @param text The data as JSON, if it is already written. A reply without this text is not cacheable.
 * @param vary The `vary` of a cacheable reply; undefined for a reply that is not cacheable.
 */
export function writeReply(
  { route, schema }: AnyAggregate,
  result: Reply<unknown, string>,
  level: SourcesLevel,
  text: string | undefined,
  vary: string | undefined,
  request: FastifyRequest,
  reply: FastifyReply,
): string | undefined {
  const { data, complete, sources, status, headers } = result
  const hasEnvelope = route.envelope && status !== 204
  if (status !== 204) reply.header('content-type', 'application/json; charset=utf-8')
  setShownHeaders(reply, level, sources, !hasEnvelope)
  if (headers !== undefined) reply.headers(headers as Record<string, string | string[]>)
  reply.header('cache-control', cacheControlOf(route, result, vary))
  if (status !== undefined) reply.code(status)
  // A partial reply is never cached and has no entity tag.
  if (text !== undefined && vary !== undefined) {
    const tag = `W/"${hash('sha1', text, 'base64url')}"`
    reply.header('etag', tag)
    addVary(reply, vary)
    if (notModified(request, reply, tag)) return undefined
  }
  if (!hasEnvelope) reply.header('headwaters-complete', complete ? '?1' : '?0')
  if (status === 204) return sendWithoutBody(request, reply)
  const isExact = hasBigint(schema)
  if (!hasEnvelope) return text ?? writeJson(data ?? null, isExact)
  const shown = shownSources(level, sources)
  // If there is no text, the whole envelope is written at once, because concatenation would copy the text again.
  if (text === undefined) {
    const value = data ?? null
    return writeJson(
      shown === undefined ? { data: value, complete } : { data: value, complete, sources: shown },
      isExact,
    )
  }
  return `{"data":${text},"complete":${complete}${shown === undefined ? '' : `,"sources":${JSON.stringify(shown)}`}}`
}

/** Replies without a body. Fastify would send `content-length: 0` for a HEAD, which a 204 must not have. */
function sendWithoutBody(request: FastifyRequest, reply: FastifyReply): undefined {
  if (request.method !== 'HEAD') reply.send()
  else {
    reply.hijack()
    reply.raw.writeHead(204, reply.getHeaders() as OutgoingHttpHeaders).end()
  }
  return undefined
}
