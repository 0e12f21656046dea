import { createRequire } from 'node:module'
import type * as Api from '@opentelemetry/api'
import { GuardedSpan } from './guarded-span.ts'
import { OverlayContext } from './overlay-context.ts'

/** The API of OpenTelemetry and the spans of Headwaters. */
export interface Tracing {
  readonly api: typeof Api
  /** Starts a span. Returns `undefined` if the SDK throws. */
  readonly startSpan: (name: string, options: Api.SpanOptions, context: Api.Context) => GuardedSpan | undefined
  /** Returns a context in which a span is the active one. */
  readonly withSpan: (context: Api.Context, span: Api.Span) => Api.Context
  /** Reports an error of the SDK to its diagnostic logger. It does not fail the call whose span it concerns. */
  readonly report: (error: unknown) => void
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
  const report = reporter(api)
  try {
    const tracer = api.trace.getTracer('headwaters')
    return {
      api,
      startSpan(name, options, context) {
        try {
          return new GuardedSpan(tracer.startSpan(name, options, context), report)
        } catch (error) {
          report(error)
          return undefined
        }
      },
      withSpan: spanSetter(api),
      report,
    }
  } catch (error) {
    report(error)
    return undefined
  }
}

function reporter(api: typeof Api): Tracing['report'] {
  return error => {
    try {
      api.diag.error(`headwaters: a span was not recorded: ${String(error)}`)
    } catch {
      // The logger of the app throws. There is no other place for the error.
    }
  }
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
