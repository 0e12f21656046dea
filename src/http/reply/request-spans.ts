import type { ServerResponse } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { SpannedAggregate } from '../../otel/recorded-spans.ts'
import { startRequestSpans } from '../../otel/run-spans.ts'
import { activeTracing } from '../../otel/tracing.ts'
import type { RequestTrace } from '../../trace/request-trace.ts'
import type { RunSpans } from '../../upstream/call/spans.ts'
import { setTrace } from '../request/trace-of.ts'

/**
 * Starts the span of a request for an aggregate or of a batch, which ends with the reply. The trace of the request, and
 * of its log lines from now on, is that of the span.
 *
 * @param trace The trace of the request without spans.
 * @returns `undefined` if no tracer provider is registered.
 */
export function requestSpans(
  aggregate: SpannedAggregate & { readonly route: { readonly url: string } },
  request: FastifyRequest,
  reply: FastifyReply,
  trace: RequestTrace,
): RunSpans | undefined {
  if (activeTracing() === undefined) return undefined
  const { method, protocol, host, raw, server } = request
  const { prefix } = server
  const route = (prefix.endsWith('/') ? prefix.slice(0, -1) : prefix) + aggregate.route.url
  const spans = startRequestSpans(aggregate, { method, url: raw.url ?? '', scheme: protocol, host, route }, trace)
  if (spans === undefined) return undefined
  setTrace(raw, spans.trace)
  endWithReply(spans, reply.raw)
  return spans
}

function endWithReply(spans: RunSpans, response: ServerResponse): void {
  const end = () => spans.end(response.headersSent ? response.statusCode : undefined)
  // The connection may have closed before a listener was added.
  if (response.destroyed) end()
  else response.once('close', end)
}
