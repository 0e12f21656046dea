/** The effect of a failure on the health of its upstream. Each failure is classified once. */
export type Verdict = 'failed' | 'ignored'

interface Row {
  /** The status that the caller receives if this failure decides the reply. */
  readonly status: number
  readonly title: string
  /** The rest of the sentence after the name of the upstream, step or aggregate that failed. */
  readonly text: string
  /** The effect of the failure on the health of its upstream. */
  readonly verdict: Verdict
  /** True if another attempt may succeed (idempotent calls only). */
  readonly retryable: boolean
}

function row(status: number, title: string, text: string, verdict: Verdict = 'ignored', retryable = false): Row {
  return { status, title, text, verdict, retryable }
}

/** All kinds of failures. A test compares `docs/errors.md` with this table. */
export const errors = {
  // One call to an upstream
  UPSTREAM_UNREACHABLE: row(502, 'Upstream unreachable', 'could not be reached', 'failed', true),
  UPSTREAM_TLS: row(502, 'TLS handshake failed', 'could not complete the TLS handshake', 'failed'),
  UPSTREAM_AUTH: row(502, 'Upstream token unavailable', 'could not be called, because no token for it is available'),
  ADDRESS_REFUSED: row(502, 'Upstream address refused', 'is at an address that is not public'),
  UPSTREAM_RESET: row(
    502,
    'Upstream connection lost',
    'closed the connection before its answer was complete',
    'failed',
    true,
  ),
  UPSTREAM_PROTOCOL: row(502, 'Invalid HTTP from upstream', 'answered with something that is not valid HTTP', 'failed'),
  UPSTREAM_STATUS: row(502, 'Unexpected upstream status', 'answered with an unexpected status', 'failed'),
  UPSTREAM_BUSY: row(503, 'Upstream overloaded', 'answered that it accepts no more calls for now', 'failed', true),
  UPSTREAM_CONTENT_TYPE: row(
    502,
    'Unexpected upstream content type',
    'answered with a content type that its operation does not accept',
    'failed',
  ),
  UPSTREAM_ENCODING: row(
    502,
    'Unreadable upstream encoding',
    'answered in a content coding or a charset that cannot be decoded',
    'failed',
  ),
  UPSTREAM_TOO_LARGE: row(
    502,
    'Upstream answer too large',
    'answered with more bytes or JSON values than allowed',
    'failed',
  ),
  UPSTREAM_JSON: row(502, 'Invalid JSON from upstream', 'answered with a body that is not valid JSON', 'failed'),
  UPSTREAM_SCHEMA: row(
    502,
    'Unexpected upstream answer',
    'answered with a value that does not match the schema of its operation',
    'failed',
  ),
  UPSTREAM_KEY_MISSING: row(502, 'Key missing in the answer', 'answered without the value of a requested key'),
  UPSTREAM_TIMEOUT: row(504, 'Upstream too slow', 'did not answer in time', 'failed', true),
  OUTCOME_UNKNOWN: row(
    504,
    'Outcome unknown',
    'did not complete an unsafe call, which may have taken effect',
    'failed',
  ),
  BULKHEAD_FULL: row(503, 'Upstream at capacity', 'is at its concurrency limit, and its queue is full or too slow'),
  BREAKER_OPEN: row(
    503,
    'Circuit breaker open',
    'has an open circuit breaker, because too many of its calls have failed',
  ),
  UPSTREAM_OFF: row(503, 'Upstream switched off', 'is switched off by configuration'),
  RUNTIME_CLOSED: row(503, 'Shutting down', 'cannot be called, because the service is shutting down'),
  LOCAL_RESOURCES: row(
    503,
    'Out of sockets',
    'could not be called, because the service has no free port or file descriptor',
  ),

  // One step
  STEP_TIMEOUT: row(504, 'Step too slow', 'did not end within its timeout', 'failed'),
  TOO_MANY_ITEMS: row(400, 'Too many items', 'asks for more calls than its limit'),
  UPSTREAM_TOO_MANY_ITEMS: row(502, 'Too many items', 'received more items or pages from an upstream than its limit'),
  UPSTREAM_PAGE_LOOP: row(502, 'Pages repeat', 'refers to a page that was already requested'),
  THREADS_FULL: row(503, 'No free thread', 'has no free thread, and the queue for one is full'),
  SHED: row(503, 'Dropped under load', 'was dropped, because the service is under load'),
  CALL_INPUT_INVALID: row(400, 'Invalid input', 'cannot be called with this input'),
  UPSTREAM_CALL_INPUT_INVALID: row(
    502,
    'Unusable upstream answer',
    'cannot be called with the answer of an earlier upstream',
  ),

  // One run
  DEADLINE_EXCEEDED: row(504, 'Deadline exceeded', 'did not end before its deadline', 'failed'),
  INPUT_INVALID: row(400, 'Invalid input', 'received invalid input'),
  REFUSED: row(400, 'Refused', 'refused the request'),
  REPLY_INVALID: row(500, 'Invalid reply', 'merged a reply that does not match its schema'),
  INTERNAL: row(500, 'Internal error', 'failed because of an internal error'),

  // One call of a batch
  DEPENDENCY_FAILED: row(424, 'Needed call failed', 'was not sent, because a call that it needs failed'),
  REFERENCE_INVALID: row(
    424,
    'Unusable reference',
    'was not sent, because a reference in its input has no usable value',
  ),

  // Bulk runs
  RUN_STATE_CONFLICT: row(409, 'Wrong state of the run', 'cannot do this in the present state of the run'),
  RANGE_NOT_SATISFIABLE: row(416, 'No such range', 'has no results in this range yet'),
  IDEMPOTENCY_KEY_REUSED: row(422, 'Idempotency key used', 'has received this idempotency key with other inputs'),
  QUOTA_EXCEEDED: row(429, 'Too many runs', 'has too many runs of this caller that have not ended'),
  STORE_UNAVAILABLE: row(503, 'Store unavailable', 'cannot read or write its store of runs'),

  // The service
  BAD_REQUEST: row(400, 'Bad request', 'received a malformed request'),
  UNAUTHENTICATED: row(401, 'Not authenticated', 'requires an API key: send the header authorization: Bearer YOUR_KEY'),
  NOT_FOUND: row(404, 'Not found', 'has no resource at this path'),
  METHOD_NOT_ALLOWED: row(405, 'Method not allowed', 'does not support this method at this path'),
  NOT_ACCEPTABLE: row(406, 'Not acceptable', 'has no representation that the accept header allows'),
  REQUEST_TIMEOUT: row(408, 'Request too slow', 'did not receive the whole request in time'),
  PAYLOAD_TOO_LARGE: row(413, 'Body too large', 'received a body that exceeds the size limit'),
  UNSUPPORTED_MEDIA_TYPE: row(
    415,
    'Unsupported media type',
    'accepts JSON bodies only: send content-type: application/json',
  ),
  EXPECTATION_FAILED: row(417, 'Expectation failed', 'supports no expectation except 100-continue'),
  MISDIRECTED: row(421, 'Misdirected request', 'does not serve this path for the host of the request'),
  RATE_LIMITED: row(
    429,
    'Too many requests',
    'received too many requests from this client: wait for the seconds in retry-after',
  ),
  HEADERS_TOO_LARGE: row(431, 'Headers too large', 'received a URL and headers that together exceed the size limit'),
  TRANSFER_ENCODING_UNSUPPORTED: row(
    501,
    'Transfer encoding not supported',
    'supports no transfer coding except chunked',
  ),
  OVERLOADED: row(503, 'Overloaded', 'is overloaded: retry after the seconds in retry-after'),
  DRAINING: row(503, 'Shutting down', 'is shutting down: retry after the seconds in retry-after'),
} as const satisfies Record<string, Row>

/** The code of a failure, one of the table `errors`. */
export type ErrorCode = keyof typeof errors

/** Statuses of an upstream after which another attempt may succeed. */
const retryableStatuses = new Set([408, 425, 429, 500, 502, 503, 504])

/** Options of an `UpstreamError`. */
export interface UpstreamErrorOptions extends ErrorOptions {
  /** The status of the upstream's response. @default none */
  readonly upstreamStatus?: number
  /** The time that the upstream's `Retry-After` asks for, in ms. @default none */
  readonly retryAfterMs?: number | undefined
  /**
   * A sentence about the failure. It must not contain text of the upstream, because callers receive it.
   * @default none
   */
  readonly detail?: string
  /** The effect on the upstream's health. @default by the code and the status */
  readonly verdict?: Verdict
  /** The status that the caller receives if this failure decides the reply. @default the status of the code */
  readonly statusCode?: number
  /** If true, another attempt may succeed. @default by the code and the status */
  readonly retryable?: boolean
  /**
   * True if the connection had served an earlier request, and was lost before the first byte of this response.
   * @default false
   */
  readonly isIdleClose?: boolean
}

/** The failure of a call or a step. It is the only class of errors that a fallback replaces. */
export class UpstreamError extends Error {
  /** The name of the class. */
  override readonly name = 'UpstreamError'
  /** The code of the failure. */
  readonly code: ErrorCode
  /** The name of the upstream, the step or the aggregate that failed. */
  readonly source: string
  /** The status of the upstream's response, if there was one. */
  readonly upstreamStatus: number | undefined
  /** The time that the upstream's `Retry-After` asks for, in ms, if it sent one. */
  readonly retryAfterMs: number | undefined
  /** The effect on the upstream's health. */
  readonly verdict: Verdict
  /** True if another attempt may succeed. */
  readonly retryable: boolean
  /**
   * True if the upstream closed a connection as idle while the call was on its way. This says nothing about its health.
   */
  readonly isIdleClose: boolean
  /** Read by Fastify's error handler. */
  readonly statusCode: number

  // oxlint-disable-next-line no-unused-private-class-members -- hasInstance looks for it
  readonly #isUpstreamError = true

  /**
   * Returns whether a value is an `UpstreamError`. Any value can be thrown, so this never throws, not even for a
   * revoked proxy.
   *
   * @param value Any value.
   * @returns True for an `UpstreamError`.
   */
  static override [Symbol.hasInstance](value: unknown): value is UpstreamError {
    if (typeof value !== 'object' || value === null || !(#isUpstreamError in value)) return false
    return this === UpstreamError || super[Symbol.hasInstance](value)
  }

  /**
   * Creates a failure.
   *
   * @param code The code, which gives the status, the text and the verdict.
   * @param source The name of the upstream, the step or the aggregate that failed.
   * @param options The status of the upstream, and values that replace the values of the code.
   */
  constructor(code: ErrorCode, source: string, options: UpstreamErrorOptions = {}) {
    const { status, text, verdict, retryable } = errors[code]
    // Do not capture a stack: failures are a hot path under overload, and their stacks are not used.
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    super(`${source} ${text}${options.detail ? `: ${options.detail}` : ''}`, options)
    Error.stackTraceLimit = stackTraceLimit

    const upstreamStatus = options.upstreamStatus
    const callersFault =
      upstreamStatus !== undefined &&
      upstreamStatus >= 400 &&
      upstreamStatus < 500 &&
      upstreamStatus !== 408 &&
      upstreamStatus !== 429
    this.code = code
    this.source = source
    this.upstreamStatus = upstreamStatus
    this.retryAfterMs = options.retryAfterMs
    this.isIdleClose = options.isIdleClose ?? false
    this.verdict = options.verdict ?? (callersFault || this.isIdleClose ? 'ignored' : verdict)
    this.retryable =
      options.retryable ?? (retryable || (code === 'UPSTREAM_STATUS' && retryableStatuses.has(upstreamStatus ?? 0)))
    this.statusCode = options.statusCode ?? status
  }
}

/** One fault of the input: its place and its reason. */
export interface Fault {
  /** JSON Pointer into the request, for example `/query/count`. */
  readonly pointer: string
  /** The reason, for example `must be a number`. */
  readonly reason: string
}

/** Headers that are sent with a problem, by lower-case name. */
export type ProblemHeaders = Readonly<Record<string, string | readonly string[]>>

/** Options of a `Problem`. */
export interface ProblemOptions extends ErrorOptions {
  /** The status. @default the status of the code */
  readonly status?: number
  /** The title. @default the title of the code */
  readonly title?: string
  /** A sentence about this case. @default the text of the code */
  readonly detail?: string
  /** The faults of the input. @default none */
  readonly faults?: readonly Fault[]
  /** The URI of the problem type. @default a URN with the code */
  readonly type?: string | undefined
  /** The code that callers receive in place of `code`. @default `code` */
  readonly authorCode?: string | undefined
  /** Headers of the reply, by lower-case name. @default none */
  readonly headers?: ProblemHeaders | undefined
  /** The value of `retry-after`, in seconds. @default 1 for a status of 503, otherwise none */
  readonly retryAfterSeconds?: number
  /** The outcome of each step, by its name. @default none */
  readonly sources?: object
}

/** A failure in the form that a caller receives (Problem Details, RFC 9457). */
export class Problem extends Error {
  /** The name of the class. */
  override readonly name = 'Problem'
  /** The code of the failure. */
  readonly code: ErrorCode
  /** Read by Fastify's error handler. */
  readonly statusCode: number
  /** The title, which is the same for every failure with this code, unless `refuse` set another one. */
  readonly title: string
  /** A sentence about this case. */
  readonly detail: string
  /** The faults of the input, if it was refused. */
  readonly faults: readonly Fault[] | undefined
  /** The value of `retry-after`, in seconds, if it is sent. */
  readonly retryAfterSeconds: number | undefined
  /** The outcome of each step, by its name, if the run started. */
  readonly sources: object | undefined
  /** The code that `refuse` set. Callers receive it in place of `code`. */
  readonly authorCode: string | undefined
  /** The headers that `refuse` set, by lower-case name. Fastify sends them with the reply. */
  readonly headers: ProblemHeaders | undefined
  /** The problem type that `refuse` set. */
  readonly #type: string | undefined

  // oxlint-disable-next-line no-unused-private-class-members -- hasInstance looks for it
  readonly #isProblem = true

  /**
   * Returns whether a value is a `Problem`. Any value can be thrown, so this never throws, not even for a revoked
   * proxy.
   *
   * @param value Any value.
   * @returns True for a `Problem`.
   */
  static override [Symbol.hasInstance](value: unknown): value is Problem {
    if (typeof value !== 'object' || value === null || !(#isProblem in value)) return false
    return this === Problem || super[Symbol.hasInstance](value)
  }

  /**
   * Creates a problem.
   *
   * @param code The code, which gives the status, the title and the text.
   * @param options Values that replace or complete the values of the code.
   */
  constructor(code: ErrorCode, options: ProblemOptions = {}) {
    const { status, title, text } = errors[code]
    const detail = options.detail ?? `The service ${text}.`
    super(detail, options)
    this.code = code
    this.statusCode = options.status ?? status
    this.title = options.title ?? title
    this.detail = detail
    this.faults = options.faults
    this.retryAfterSeconds = options.retryAfterSeconds ?? (this.statusCode === 503 ? 1 : undefined)
    this.sources = options.sources
    this.authorCode = options.authorCode
    this.headers = options.headers
    this.#type = options.type
  }

  /** The URI of the problem type: a URN with the code, unless `refuse` set another one. */
  get type(): string {
    return this.#type ?? `urn:headwaters:problem:${this.code.toLowerCase().replaceAll('_', '-')}`
  }

  /**
   * Returns a copy of the problem with the outcomes of the steps.
   *
   * @param sources The outcome of each step, by its name.
   * @returns A new problem.
   */
  with(sources: object): Problem {
    const { statusCode: status, title, detail, faults, authorCode, headers, retryAfterSeconds, cause } = this
    return new Problem(this.code, {
      status,
      title,
      detail,
      sources,
      cause,
      type: this.#type,
      authorCode,
      headers,
      ...(faults && { faults }),
      ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    })
  }

  /**
   * Returns the body of the reply.
   *
   * @returns The members of `application/problem+json`, with `code`, `errors` and `sources`.
   */
  toJSON(): object {
    return {
      type: this.type,
      title: this.title,
      status: this.statusCode,
      detail: this.detail,
      code: this.authorCode ?? this.code,
      errors: this.faults,
      sources: this.sources,
    }
  }
}

/** Returns the reason of a fault in terms of JSON. The messages of zod use the names of JavaScript types instead. */
export function reasonOf({ message }: { readonly message: string }): string {
  if (message.endsWith('received undefined')) return 'is missing'
  // The value was converted to an invalid Date.
  if (message.endsWith('expected date, received Date'))
    return 'must be a date, for example 2024-05-01 or 2024-05-01T10:00:00Z'
  return message.endsWith('received NaN') ? 'must be a number' : message
}

/** The largest `Retry-After` of an upstream that is passed to a caller, in seconds. */
const maxRetryAfterSeconds = 60

/**
 * Returns the problem for an error. A `Problem` is returned unchanged, and an `UpstreamError` keeps its code. Any other
 * error is a bug: its problem has the code `INTERNAL`, and its text appears only in the log.
 */
export function toProblem(error: unknown, where?: string): Problem {
  if (error instanceof Problem) return error
  if (error instanceof UpstreamError) {
    const { retryAfterMs } = error
    return new Problem(error.code, {
      status: error.statusCode,
      detail:
        where === undefined || where === error.source ? `${error.message}.` : `Step '${where}': ${error.message}.`,
      cause: error,
      ...(retryAfterMs !== undefined &&
        error.statusCode === 503 && {
          retryAfterSeconds: Math.min(maxRetryAfterSeconds, Math.max(1, Math.ceil(retryAfterMs / 1000))),
        }),
    })
  }
  return new Problem('INTERNAL', {
    detail: 'The service failed because of an internal error. The cause is in the log.',
    cause: error,
  })
}
