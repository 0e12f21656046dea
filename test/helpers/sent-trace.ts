import type { RawRequest, RawUpstream } from './raw-upstream.ts'

/** The trace context that a request was sent with. */
export interface SentTrace {
  readonly traceId: string
  readonly spanId: string
  /** As two hex digits. */
  readonly flags: string
  readonly tracestate: string | undefined
}

/** Returns the values of a header of a request. */
export function valuesOf({ headers }: RawRequest, name: string): string[] {
  return headers.filter(([each]) => each === name).map(([, value]) => value)
}

/** Reads the trace context of a request. Throws if it has not exactly one valid `traceparent`. */
export function sentTrace(request: RawRequest): SentTrace {
  const [traceparent = '', ...more] = valuesOf(request, 'traceparent')
  const [tracestate, ...others] = valuesOf(request, 'tracestate')
  const [, traceId, spanId, flags] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(traceparent) ?? []
  if (traceId === undefined || spanId === undefined || flags === undefined || more.length + others.length > 0)
    throw new Error(`the request was sent with ${JSON.stringify(request.headers)}`)
  return { traceId, spanId, flags, tracestate }
}

/** Returns the trace contexts of all requests of an upstream. */
export function sentTraces({ requests }: RawUpstream): SentTrace[] {
  return requests.map(sentTrace)
}
