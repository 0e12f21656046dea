import type { Attributes, AttributeValue, Link, Span, SpanContext, SpanStatusCode } from '@opentelemetry/api'

/** `SpanStatusCode.ERROR`. The package of the API is not loaded before a provider is found. */
const errorStatus: SpanStatusCode.ERROR = 2

/** A span of an SDK. Spans of an SDK that is older than the API have no `addLink`. */
type SdkSpan = Omit<Span, 'addLink'> & Partial<Pick<Span, 'addLink'>>

/**
 * A span whose functions do not throw. An error of the SDK or of its processors is reported. The call whose span it
 * concerns goes on.
 */
export class GuardedSpan {
  /** The span of the SDK, for contexts. */
  readonly span: Span
  /** The context of the span, for links and headers. */
  readonly context: SpanContext
  readonly isRecording: boolean
  readonly #span: SdkSpan
  readonly #report: (error: unknown) => void

  /** @throws what the span throws */
  constructor(span: Span, report: (error: unknown) => void) {
    this.span = span
    this.context = span.spanContext()
    this.isRecording = span.isRecording()
    this.#span = span
    this.#report = report
  }

  /** Returns the `tracestate` of the span; `undefined` if it has none. A sampler may set it. */
  tracestate(): string | undefined {
    try {
      return this.context.traceState?.serialize() || undefined
    } catch (error) {
      this.#report(error)
      return undefined
    }
  }

  setAttribute(name: string, value: AttributeValue): void {
    try {
      this.#span.setAttribute(name, value)
    } catch (error) {
      this.#report(error)
    }
  }

  /** Sets the status `ERROR`. */
  setError(): void {
    try {
      this.#span.setStatus({ code: errorStatus })
    } catch (error) {
      this.#report(error)
    }
  }

  addEvent(name: string, attributes: Attributes): void {
    try {
      this.#span.addEvent(name, attributes)
    } catch (error) {
      this.#report(error)
    }
  }

  /** Adds a link. A span without `addLink` gets none. */
  addLink(link: Link): void {
    try {
      this.#span.addLink?.(link)
    } catch (error) {
      this.#report(error)
    }
  }

  end(): void {
    try {
      this.#span.end()
    } catch (error) {
      this.#report(error)
    }
  }
}
