import type { Abort } from '../../core/abort.ts'
import type { OperationMetrics } from '../../metrics/operation-metrics.ts'
import type { TraceContext } from '../../trace/trace-context.ts'
import type { CallEvent } from './events.ts'
import type { CallFlow } from './flow.ts'
import type { HeaderReads } from './inbound.ts'
import type { AttemptSpan, AttemptSpans, CallSpans } from './spans.ts'
import type { ResponseHeaders } from '../spec/answer.ts'
import type { OperationSpec } from '../spec/spec.ts'
import { uncounted } from './uncounted.ts'
import type { RequestBody } from './write-body/request-body.ts'
import { StreamBody } from './write-body/stream-body.ts'

declare const answer: unique symbol, unasked: unique symbol

/**
 * The type of `await call`. A call is not its answer, so a program that awaits a call does not compile, and the
 * compiler prints the sentence.
 */
export interface Unasked<Sentence extends string, out T> {
  /** For the type checker only. */
  readonly [unasked]: Sentence
  /** For the type checker only. */
  readonly [answer]: T
}

/** A call that has not been sent. It belongs to no run. */
export class Call<out T> {
  /** Exists for the type checker only. */
  declare readonly [answer]: T
  /** The checked declaration of the operation. */
  readonly spec: OperationSpec
  /** For the type checker only: gives `await call` a type that says what to do. A call has no such method. */
  // oxlint-disable-next-line unicorn/no-thenable -- exists for the type checker only
  declare readonly then: (
    resolve?: ((value: Unasked<'a call is not its answer: use await ask(call)', T>) => unknown) | null,
  ) => never
  /** Path and query, encoded. */
  readonly path: string
  /** The body as it is sent. */
  readonly body: RequestBody | undefined
  /** The key that the call is sent with, if its operation makes one. */
  readonly idempotencyKey: string | undefined
  /** The headers in the input of the call, by lower-case name. */
  readonly headers: Readonly<Record<string, string>> | undefined

  constructor(
    spec: OperationSpec,
    path: string,
    body: RequestBody | undefined,
    idempotencyKey: string | undefined,
    headers?: Readonly<Record<string, string>>,
  ) {
    this.spec = spec
    this.path = path
    this.body = body
    this.idempotencyKey = idempotencyKey
    this.headers = headers
  }

  /** The operation's name, for example `catfact-ninja.fact`. */
  get operation(): string {
    return this.spec.name
  }

  /**
   * Refuses to be written as JSON, as a part of a reply.
   *
   * @returns Never; it throws.
   * @throws `TypeError` always: a call is not its answer.
   */
  toJSON(): never {
    throw new TypeError(`${this.operation}: a call is not its answer: use await ask(call)`)
  }
}

/** A call of an operation with `keyBatch`. Its path and its body are those of a request for its key alone. */
export interface KeyCall<out T> extends Call<T> {
  readonly key: unknown
}

/** The part of a run that its calls use. */
export interface Scope {
  /** The time at which the run ends, in ms from its start. */
  readonly deadline: number
  /**
   * The latest time at which a caller needs the answer, in ms from the start of the run. Set if the deadline does not
   * tell it.
   */
  readonly patience?: number
  /** The inbound headers, by lower-case name. An upstream's `forwardHeaders` selects from them. */
  readonly headers: Readonly<Record<string, string | undefined>>
  /**
   * Records the headers that a layer reads. `undefined` if the reply cannot be cached, or if several callers share the
   * call.
   */
  readonly reads?: HeaderReads | undefined
  /** The result of the aggregate's `context`; `undefined` if several callers share the call. */
  readonly context?: unknown
  /** Aborted when the run has ended, for any reason. */
  readonly abort: Abort
  /** The flow of the calls: the part of the permits of an upstream that they share. */
  readonly flow: CallFlow
  /** The admission of this run per bulkhead. All calls of a run share it, coalesced calls too. */
  readonly admitted: Map<object, object>
  /** The object of the calls that may share a batch of keys. @default `admitted`: calls of one run */
  readonly batchGroup?: object | undefined
  /** The trace to which the requests of the calls belong; `undefined` if the run has none. */
  readonly trace?: TraceContext | undefined
  /** Records the spans of the calls; `undefined` if no tracer is registered. */
  readonly spans?: CallSpans | undefined
  /** Returns the present time, in ms from the start of the run. */
  now(): number
  emit(event: CallEvent): void
  /**
   * False if no observer needs the events `attempt ended` and `call waited`. The other events are always emitted.
   * @default true
   */
  readonly isWatched?: boolean
}

/** The effort for a call so far, all its attempts together. */
export interface Effort {
  /** The number of attempts. */
  attempts: number
  /** The time that the call has waited for a permit, in ms. */
  queuedMs: number
  /** True if a request was sent to the upstream, by this call or by an equal call whose answer it shares. */
  sent: boolean
  /**
   * True if the call was sent again without the retry budget after a connection was closed as idle. That happens once
   * per call.
   */
  hadFreeRetry: boolean
  /** True if a custom layer of `layers.call` added a header that identifies the caller. */
  namesCaller: boolean
  /**
   * The headers of a 2xx or 3xx response to an unsafe call; empty if its outcome is unknown. `undefined` while the call
   * has changed nothing.
   */
  changed: ResponseHeaders | undefined
  /** The span of the attempt that was answered, or else of the last attempt; `undefined` if it is not recorded. */
  span: AttemptSpan | undefined
}

/** The state of one attempt. */
export interface Attempt extends AttemptSpans {
  /** True if the attempt may wait for a permit. Otherwise it is refused if no permit is free. */
  readonly mayWait: boolean
  /** True if the attempt was sent to the transport. */
  sent: boolean
  /** True if the attempt needs a connection that has not served a request before. */
  readonly needsNew: boolean
  /**
   * Resolves when an attempt that was settled early no longer uses the transport. The permit of the attempt is held
   * until then. `undefined` if the attempt was not settled early.
   */
  held: Promise<void> | undefined
}

const newAttempt = (mayWait: boolean, needsNew: boolean): Attempt => ({
  mayWait,
  sent: false,
  needsNew,
  held: undefined,
  spanId: undefined,
  span: undefined,
  hedged: undefined,
})
const firstEffort = (): Effort => ({
  attempts: 0,
  queuedMs: 0,
  sent: false,
  hadFreeRetry: false,
  namesCaller: false,
  changed: undefined,
  span: undefined,
})

/** A call in flight. It belongs to a run, can be aborted, and counts its effort. */
export class LiveCall<out T> {
  declare readonly [answer]: T
  readonly spec: OperationSpec
  readonly path: string
  readonly body: RequestBody | undefined
  readonly idempotencyKey: string | undefined
  /** The headers in the input of the call, and those that layers and the cache have added, by lower-case name. */
  readonly headers: Readonly<Record<string, string>> | undefined
  /** Aborts the call, which then rejects with the reason. */
  readonly abort: Abort
  readonly scope: Scope
  /** The index of the step of the call in its run. */
  readonly step: number
  /** The index of the call in its step. */
  readonly index: number
  /** The number of calls of the step to the same upstream. */
  readonly siblingCount: number
  readonly effort: Effort
  readonly attempt: Attempt
  /** True if the request is conditional, so that a 304 is an answer. */
  readonly isConditional: boolean
  /** Counts the call. The client of its upstream sets it. */
  metrics: OperationMetrics
  /** The key of the call. Only calls of an operation with `keyBatch` have this field. */
  declare readonly key?: unknown

  constructor(
    call: Pick<Call<T>, 'spec' | 'path' | 'body' | 'idempotencyKey' | 'headers'>,
    abort: Abort,
    scope: Scope,
    step: number,
    index: number,
    of = 1,
    effort = firstEffort(),
    attempt = newAttempt(true, false),
    headers = call.headers,
    isConditional = false,
    metrics = uncounted,
  ) {
    this.spec = call.spec
    this.path = call.path
    this.body = call.body
    this.idempotencyKey = call.idempotencyKey
    this.headers = headers
    this.abort = abort
    this.scope = scope
    this.step = step
    this.index = index
    this.siblingCount = of
    this.effort = effort
    this.attempt = attempt
    this.isConditional = isConditional
    this.metrics = metrics
    if (call.spec.keyBatch !== undefined) Object.assign(this, { key: (call as KeyCall<T>).key })
  }

  /** Returns the same attempt with another abort. */
  withAbort(abort: Abort, scope: Scope = this.scope, of: number = this.siblingCount): LiveCall<T> {
    return new LiveCall(
      this,
      abort,
      scope,
      this.step,
      this.index,
      of,
      this.effort,
      this.attempt,
      this.headers,
      this.isConditional,
      this.metrics,
    )
  }

  /** Returns the same call in another scope, with no attempt and no effort. */
  detached(abort: Abort, scope: Scope): LiveCall<T> {
    const effort = firstEffort()
    effort.namesCaller = this.effort.namesCaller
    return new LiveCall(
      this,
      abort,
      scope,
      0,
      0,
      1,
      effort,
      newAttempt(true, false),
      this.headers,
      this.isConditional,
      this.metrics,
    )
  }

  /**
   * Returns the same call for one more attempt. The attempt needs a new connection if the call was sent again without
   * the retry budget.
   */
  nextAttempt(abort: Abort = this.abort, mayWait = true): LiveCall<T> {
    const { effort } = this
    return new LiveCall(
      this,
      abort,
      this.scope,
      this.step,
      this.index,
      this.siblingCount,
      effort,
      newAttempt(mayWait, effort.hadFreeRetry),
      this.headers,
      this.isConditional,
      this.metrics,
    )
  }

  /**
   * True if the call can be sent again, and several equal requests have the effect of one (RFC 9110, section 9.2.2).
   */
  get isRepeatable(): boolean {
    return (this.spec.idempotent || this.idempotencyKey !== undefined) && !this.isOneShot
  }

  /** True if the body is a stream, so that the call can be sent once only. */
  get isOneShot(): boolean {
    return this.body instanceof StreamBody
  }

  /** Returns the same attempt with more headers, by lower-case name. They override all other headers. */
  withHeaders(headers: Readonly<Record<string, string>>): LiveCall<T> {
    return Object.assign(this.withAbort(this.abort), { headers: { ...this.headers, ...headers } })
  }
  /** Returns the same attempt as a conditional request, with the headers of the condition. */
  conditional(condition: Readonly<Record<string, string>>): LiveCall<T> {
    return Object.assign(this.withHeaders(condition), { isConditional: true })
  }
}
