import type { ServerResponse } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { AnyAggregate } from '../../fanout/aggregate.ts'
import { startRequestSpans } from '../../otel/run-spans.ts'
import { activeTracing } from '../../otel/tracing.ts'
import type { RunSpans } from '../../upstream/call/spans.ts'

/**
 * Starts the span of a request for an aggregate, which ends with the connection of the reply.
 *
 * @returns `undefined` if no tracer provider is registered.
 */
export function requestSpans(
  aggregate: AnyAggregate,
  request: FastifyRequest,
  reply: FastifyReply,
): RunSpans | undefined {
  if (activeTracing() === undefined) return undefined
  const { method, protocol, host, raw, server } = request
  const prefix = server.prefix.replace(/\/$/, '')
  const spans = startRequestSpans(
    aggregate,
    { method, url: raw.url ?? '', scheme: protocol, host, route: prefix + aggregate.route.url },
    undefined,
  )
  if (spans !== undefined) endWithReply(spans, reply.raw)
  return spans
}

function endWithReply(spans: RunSpans, response: ServerResponse): void {
  const end = () => spans.end(response.headersSent ? response.statusCode : undefined)
  // The connection may have closed before a listener was added.
  if (response.destroyed) end()
  else response.once('close', end)
}
