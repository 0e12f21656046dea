import type { Context, Span, SpanContext } from '@opentelemetry/api'
import type { TraceContext } from '../trace/trace-context.ts'
import type { RunSpans } from '../upstream/call/spans.ts'
import { RecordedSpans, type SpannedAggregate } from './recorded-spans.ts'
import { activeTracing, type Tracing } from './tracing.ts'
import { UnrecordedSpans } from './unrecorded-spans.ts'

/** The parts of a request that its span has. */
export interface SpannedRequest {
  readonly method: string
  /** The target of the request, with its query. */
  readonly url: string
  readonly scheme: string
  readonly host: string | undefined
  /** The template of the route. */
  readonly route: string
}

/**
 * Starts the span of a run without a request.
 *
 * @param remote The trace context that the caller gave.
 * @returns `undefined` if no tracer provider is registered.
 */
export function startRunSpans(aggregate: SpannedAggregate, remote: TraceContext | undefined): RunSpans | undefined {
  const tracing = activeTracing()
  if (tracing === undefined) return undefined
  const { api, tracer } = tracing
  const active = api.context.active()
  const parent = api.trace.getSpan(active) === undefined ? withRemote(tracing, active, remote) : active
  const span = tracer.startSpan(
    `aggregate ${aggregate.name}`,
    { attributes: { 'headwaters.aggregate': aggregate.name } },
    parent,
  )
  return spansOf(tracing, span, parent, aggregate, remote, false)
}

/**
 * Starts the span of a request for an aggregate. Its parent is the active span of this process if there is one, and the
 * trace context of the request otherwise.
 *
 * @param remote The trace context that the request has; `undefined` if it has none or an invalid one.
 * @returns `undefined` if no tracer provider is registered.
 */
export function startRequestSpans(
  aggregate: SpannedAggregate,
  { method, url, scheme, host, route }: SpannedRequest,
  remote: TraceContext | undefined,
): RunSpans | undefined {
  const tracing = activeTracing()
  if (tracing === undefined) return undefined
  const { api, tracer } = tracing
  const active = api.context.active()
  const local = api.trace.getSpan(active)?.spanContext()
  const isChild = local !== undefined && local.isRemote !== true && api.isSpanContextValid(local)
  const parent = local === undefined ? withRemote(tracing, active, remote) : active
  const query = url.indexOf('?')
  const span = tracer.startSpan(
    `${method} ${route}`,
    {
      kind: isChild ? api.SpanKind.INTERNAL : api.SpanKind.SERVER,
      attributes: {
        'http.request.method': method,
        'url.path': query === -1 ? url : url.slice(0, query),
        'url.scheme': scheme,
        'http.route': route,
        'headwaters.aggregate': aggregate.name,
      },
    },
    parent,
  )
  if (host !== undefined && span.isRecording()) span.setAttributes(serverAttributes(host, scheme))
  return spansOf(tracing, span, parent, aggregate, remote, true)
}

function withRemote({ api }: Tracing, active: Context, remote: TraceContext | undefined): Context {
  if (remote === undefined) return active
  const context: SpanContext = {
    traceId: remote.traceId,
    spanId: remote.spanId,
    traceFlags: remote.flags,
    isRemote: true,
  }
  if (remote.tracestate !== undefined) context.traceState = api.createTraceState(remote.tracestate)
  return api.trace.setSpanContext(active, context)
}

function spansOf(
  tracing: Tracing,
  span: Span,
  parent: Context,
  aggregate: SpannedAggregate,
  remote: TraceContext | undefined,
  isRequest: boolean,
): RunSpans | undefined {
  const { api } = tracing
  const own = span.spanContext()
  // Without a valid context, tracing is suppressed here: the run keeps the trace context that it has.
  if (!api.isSpanContextValid(own)) return undefined
  const trace = traceOf(own, remote)
  const context = api.trace.setSpan(parent, span)
  return span.isRecording()
    ? new RecordedSpans(tracing, { span, context, trace, aggregate, isRequest })
    : new UnrecordedSpans(tracing, context, trace)
}

/** Returns the position of a span. In the trace of the caller the flags that OpenTelemetry does not know stay set. */
function traceOf({ traceId, spanId, traceFlags, traceState }: SpanContext, remote: TraceContext | undefined) {
  const isSame = remote?.traceId === traceId
  return {
    traceId,
    spanId,
    flags: isSame ? (remote.flags & 0xfe) | (traceFlags & 1) : traceFlags,
    tracestate: traceState === undefined ? undefined : traceState.serialize() || undefined,
  }
}

/** Returns the name and the port of a `Host` header. */
function serverAttributes(host: string, scheme: string): Record<string, string | number> {
  const url = URL.parse(`${scheme}://${host}`)
  if (url === null) return {}
  const { hostname, port } = url
  return { 'server.address': hostname, 'server.port': port === '' ? (scheme === 'https' ? 443 : 80) : Number(port) }
}
