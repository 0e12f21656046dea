import { createRequire } from 'node:module'
import type * as Api from '@opentelemetry/api'
import { OverlayContext } from './overlay-context.ts'

/** The API of OpenTelemetry and the tracer of Headwaters. */
export interface Tracing {
  readonly api: typeof Api
  readonly tracer: Pick<Api.Tracer, 'startSpan'>
  /** Ends a span. */
  readonly endSpan: (span: Api.Span) => void
  /** Returns a context in which a span is the active one. */
  readonly withSpan: (context: Api.Context, span: Api.Span) => Api.Context
}

/** The property of the global object with which all copies of the API share what is registered. */
const shared = Symbol.for('opentelemetry.js.api.1')

interface Registered {
  readonly trace?: object
}

let provider: object | undefined
let tracing: Tracing | undefined

/**
 * Returns the API and the tracer if a tracer provider is registered. Without one this reads one property: it loads and
 * allocates nothing. The package is loaded when a provider is found for the first time.
 */
export function activeTracing(): Tracing | undefined {
  const current = (globalThis as { readonly [shared]?: Registered })[shared]?.trace
  if (current !== provider) {
    provider = current
    tracing = current === undefined ? undefined : tracingOf(current)
  }
  return tracing
}

/** Returns `undefined` if the package is not installed, or is a copy that cannot use the registered provider. */
function tracingOf(registered: object): Tracing | undefined {
  let api: typeof Api
  try {
    api = createRequire(import.meta.url)('@opentelemetry/api') as typeof Api
  } catch {
    return undefined
  }
  // A copy ignores a provider that an older copy has registered, and its tracers record nothing.
  if (api.trace.getTracerProvider() !== registered) return undefined
  const tracer = api.trace.getTracer('headwaters')
  return {
    api,
    tracer: {
      startSpan(name, options, context) {
        try {
          return tracer.startSpan(name, options, context)
        } catch (error) {
          report(api, error)
          return api.trace.wrapSpanContext(api.INVALID_SPAN_CONTEXT)
        }
      },
    },
    endSpan(span) {
      try {
        span.end()
      } catch (error) {
        report(api, error)
      }
    },
    withSpan: spanSetter(api),
  }
}

/** Reports an error of a sampler or a processor of the SDK. It must not fail the call whose span it concerns. */
function report(api: typeof Api, error: unknown): void {
  api.diag.error(`headwaters: a span was not recorded: ${String(error)}`)
}

/** Returns `trace.setSpan` with a cheaper context. The API reads a span under a key that it does not export. */
function spanSetter(api: typeof Api): Tracing['withSpan'] {
  let key: symbol | undefined
  const probe: Api.Context = {
    getValue(asked) {
      key = asked
      return undefined
    },
    setValue: () => probe,
    deleteValue: () => probe,
  }
  api.trace.getSpan(probe)
  const spanKey = key as symbol
  return (context, span) => new OverlayContext(context, spanKey, span)
}
