import type { Attributes, Context, Link, SpanContext } from '@opentelemetry/api'
import { UpstreamError } from '../errors.ts'
import type { AttemptSpan, SpannedCall, SpanServer } from '../upstream/call/spans.ts'
import type { OperationSpec } from '../upstream/spec/spec.ts'
import type { GuardedSpan } from './guarded-span.ts'
import type { Tracing } from './tracing.ts'
import { redactedQuery } from '../core/redacted-query.ts'

/** The attributes that are equal in all attempts of an operation. */
interface Known {
  readonly name: string
  readonly attributes: Attributes
}

const known = new WeakMap<OperationSpec, Known>()

/**
 * Starts the span of an attempt in a context, and sets the `spanId` of the attempt.
 *
 * @returns `undefined` if the SDK throws.
 */
export function startAttempt(
  tracing: Tracing,
  context: Context,
  { spec, path, attempt }: SpannedCall,
  number: number,
  server: SpanServer | undefined,
  isBackground: boolean,
): AttemptSpan | undefined {
  const { name, attributes } = knownOf(spec)
  const own: Attributes = { ...attributes }
  if (server !== undefined) {
    own['server.address'] = server.address
    own['server.port'] = server.port
    own['url.full'] = redactedQuery(server.base + path)
  }
  if (number > 1) own['http.request.resend_count'] = number - 1
  if (isBackground) own['headwaters.background'] = true
  const links: Link[] = attempt.hedged instanceof RecordedAttempt ? [{ context: attempt.hedged.context }] : []
  const span = tracing.startSpan(name, { kind: tracing.api.SpanKind.CLIENT, attributes: own, links }, context)
  if (span === undefined) return undefined
  attempt.spanId = span.context.spanId
  return new RecordedAttempt(span)
}

/** The recorded span of an attempt. */
export class RecordedAttempt implements AttemptSpan {
  /** The context of the span, for links. */
  readonly context: SpanContext
  readonly #span: GuardedSpan

  constructor(span: GuardedSpan) {
    this.#span = span
    this.context = span.context
  }

  answered(status: number): void {
    this.#span.setAttribute('http.response.status_code', status)
    this.#span.end()
  }

  failed(error: unknown, code: string): void {
    const status = error instanceof UpstreamError ? error.upstreamStatus : undefined
    const span = this.#span
    if (status !== undefined) span.setAttribute('http.response.status_code', status)
    span.setAttribute('headwaters.code', code)
    // The caller no longer needs the attempt. That is not an error of the upstream.
    if (code !== 'CANCELLED') {
      span.setAttribute('error.type', status !== undefined && status >= 400 ? String(status) : code)
      span.setError()
    }
    span.end()
  }
}

function knownOf(spec: OperationSpec): Known {
  let found = known.get(spec)
  if (found === undefined) {
    const { method, upstream, template } = spec
    found = {
      name: `${method} ${template.path}`,
      attributes: {
        'http.request.method': method,
        'url.template': template.path,
        'headwaters.upstream': upstream.name,
        'headwaters.operation': spec.name.slice(upstream.name.length + 1),
      },
    }
    known.set(spec, found)
  }
  return found
}
