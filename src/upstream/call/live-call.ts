import type { Abort } from '../../core/abort.ts'
import type { OperationMetrics } from '../../metrics/operation-metrics.ts'
import type { OperationSpec } from '../spec/spec.ts'
import { firstEffort, newAttempt, type Attempt, type Effort } from './attempt.ts'
import type { Call, KeyCall } from './call.ts'
import type { Scope } from './scope.ts'
import { uncounted } from './uncounted.ts'
import type { RequestBody } from './write-body/request-body.ts'
import { StreamBody } from './write-body/stream-body.ts'

declare const answer: unique symbol

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
