import { hash } from 'node:crypto'
import { hasBigint } from '../../core/json/needs-exact.ts'
import { writeJson } from '../../core/json/write.ts'
import type { AnyAggregate } from '../../fanout/aggregate.ts'
import type { Reply } from '../../fanout/reply.ts'
import type { SourcesLevel } from '../../fanout/sources-level.ts'
import { cacheControlOf } from './cache-control.ts'
import type { ReplySink } from './reply-sink.ts'
import { setShownHeaders, shownSources } from './shown-sources.ts'
import { addVary } from './vary.ts'

/** Returns whether the body of a reply is the envelope. Otherwise it is the data, or there is no body. */
function hasEnvelope({ route }: AnyAggregate, { status }: Reply<unknown, string>): boolean {
  return route.envelope && status !== 204
}

/**
 * Sets the status and the headers of an aggregate's reply, and returns its entity tag if it has one.
 *
 * @param level The part of the sources that the caller sees.
 * @param text The data as JSON, if it is already written. A reply without this text is not cacheable.
 * @param vary The `vary` of a cacheable reply; undefined for a reply that is not cacheable.
 * @param isRehearsed True if the caller asked for faults, so that the reply must not be stored.
 */
export function setReplyHeaders(
  aggregate: AnyAggregate,
  result: Reply<unknown, string>,
  level: SourcesLevel,
  text: string | undefined,
  vary: string | undefined,
  sink: ReplySink,
  isRehearsed: boolean,
): string | undefined {
  const { complete, sources, status, headers } = result
  const isEnvelope = hasEnvelope(aggregate, result)
  if (status !== 204) sink.header('content-type', 'application/json; charset=utf-8')
  setShownHeaders(sink, level, sources, !isEnvelope)
  if (headers !== undefined) sink.headers(headers as Record<string, string | string[]>)
  sink.header('cache-control', cacheControlOf(aggregate.route, result, vary, isRehearsed))
  if (status !== undefined) sink.code(status)
  // A partial reply is never cached and has no entity tag.
  let tag: string | undefined
  if (text !== undefined && vary !== undefined) {
    tag = `W/"${hash('sha1', text, 'base64url')}"`
    sink.header('etag', tag)
    addVary(sink, vary)
  }
  if (!isEnvelope) sink.header('headwaters-complete', complete ? '?1' : '?0')
  return tag
}

/**
 * Returns the body of an aggregate's reply, or undefined for a reply without a body.
 *
 * @param level The part of the sources that the caller sees.
 * @param text The data as JSON, if it is already written.
 */
export function replyBody(
  aggregate: AnyAggregate,
  result: Reply<unknown, string>,
  level: SourcesLevel,
  text: string | undefined,
): string | undefined {
  const { data, complete, sources, status } = result
  if (status === 204) return undefined
  const isExact = hasBigint(aggregate.schema)
  if (!hasEnvelope(aggregate, result)) return text ?? writeJson(data ?? null, isExact)
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
