import type { Context, SpanContext } from '@opentelemetry/api'
import type { RequestTrace } from '../trace/request-trace.ts'
import type { RunSpans } from '../upstream/call/spans.ts'
import { RecordedSpans, type SpannedAggregate } from './recorded-spans.ts'
import type { GuardedSpan } from './guarded-span.ts'
import { activeTracing, type Tracing } from './tracing.ts'
import { UnrecordedSpans } from './unrecorded-spans.ts'

const noOptions = {}

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
 * @param trace The trace of the run without spans. Its span is the parent if the caller gave one.
 * @returns `undefined` if no tracer provider is registered.
 */
export function startRunSpans(aggregate: SpannedAggregate, trace: RequestTrace): RunSpans | undefined {
  const tracing = activeTracing()
  if (tracing === undefined) return undefined
  const { api } = tracing
  const active = api.context.active()
  const parent = api.trace.getSpan(active) === undefined ? withRemote(tracing, active, trace) : active
  const span = tracing.startSpan(`aggregate ${aggregate.name}`, noOptions, parent)
  return spansOf(tracing, span, parent, aggregate, trace, false)
}

/**
 * Starts the span of a request for an aggregate. Its parent is the active span of this process if there is one, and the
 * trace context of the request otherwise.
 *
 * @param trace The trace of the request without spans.
 * @returns `undefined` if no tracer provider is registered.
 */
export function startRequestSpans(
  aggregate: SpannedAggregate,
  { method, url, scheme, host, route }: SpannedRequest,
  trace: RequestTrace,
): RunSpans | undefined {
  const tracing = activeTracing()
  if (tracing === undefined) return undefined
  const { api } = tracing
  const active = api.context.active()
  const local = api.trace.getSpan(active)?.spanContext()
  const isChild = local !== undefined && local.isRemote !== true && api.isSpanContextValid(local)
  const parent = local === undefined ? withRemote(tracing, active, trace) : active
  const span = tracing.startSpan(
    `${method} ${route}`,
    {
      kind: isChild ? api.SpanKind.INTERNAL : api.SpanKind.SERVER,
      attributes: {
        'http.request.method': method,
        'url.path': pathOf(url),
        'url.scheme': scheme,
        'http.route': route,
      },
    },
    parent,
  )
  if (host !== undefined && span?.isRecording === true) setServer(span, host, scheme)
  return spansOf(tracing, span, parent, aggregate, trace, true)
}

/** Returns the path of a request target, which may be a whole URL (RFC 9112, section 3.2.2). */
function pathOf(target: string): string {
  const query = target.indexOf('?')
  const end = query === -1 ? target.length : query
  if (target.startsWith('/')) return target.slice(0, end)
  const start = target.indexOf('/', target.indexOf('://') + 3)
  return start === -1 || start > end ? '/' : target.slice(start, end)
}

/** Makes the span of the caller the parent. A trace that starts here has no parent. */
function withRemote({ api, withSpan }: Tracing, active: Context, trace: RequestTrace): Context {
  const { traceId, parentSpanId, flags, tracestate } = trace
  if (parentSpanId === undefined) return active
  const remote: SpanContext = { traceId, spanId: parentSpanId, traceFlags: flags, isRemote: true }
  if (tracestate !== undefined) remote.traceState = api.createTraceState(tracestate)
  return withSpan(active, api.trace.wrapSpanContext(remote))
}

function spansOf(
  tracing: Tracing,
  span: GuardedSpan | undefined,
  parent: Context,
  aggregate: SpannedAggregate,
  received: RequestTrace,
  isRequest: boolean,
): RunSpans | undefined {
  const { api, withSpan } = tracing
  // Without a valid context, tracing is suppressed here: the run keeps the trace context that it has.
  if (span === undefined || !api.isSpanContextValid(span.context)) return undefined
  const trace = traceOf(span, api.trace.getSpanContext(parent)?.spanId, received)
  const context = withSpan(parent, span.span)
  return span.isRecording
    ? new RecordedSpans(tracing, { span, context, trace, aggregate, isRequest })
    : new UnrecordedSpans(tracing, context, trace)
}

/** Returns the position of a span. In the trace of the caller, flags that OpenTelemetry does not know stay set. */
function traceOf(span: GuardedSpan, parentSpanId: string | undefined, received: RequestTrace): RequestTrace {
  const { traceId, spanId, traceFlags } = span.context
  return {
    traceId,
    spanId,
    flags: traceId === received.traceId ? (received.flags & ~1) | (traceFlags & 1) : traceFlags,
    tracestate: span.tracestate(),
    parentSpanId,
  }
}

/** Sets the name and the port of a `Host` header. */
function setServer(span: GuardedSpan, host: string, scheme: string): void {
  const url = URL.parse(`${scheme}://${host}`)
  if (url === null) return
  const { hostname, port } = url
  span.setAttribute('server.address', hostname)
  span.setAttribute('server.port', port === '' ? (scheme === 'https' ? 443 : 80) : Number(port))
}
