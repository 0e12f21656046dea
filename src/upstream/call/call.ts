import type { Abort } from '../../core/abort.ts'
import type { CallEvent } from './events.ts'
import type { HeaderReads } from './inbound.ts'
import type { ResponseHeaders } from '../spec/answer.ts'
import type { OperationSpec } from '../spec/spec.ts'

declare const answer: unique symbol

/** One question to one operation, not yet sent: inert, and of no run. */
export class Call<out T> {
  /** For the type checker only. */
  declare readonly [answer]: T
  /** The checked declaration of the operation. */
  readonly spec: OperationSpec
  /** Path and query, encoded. */
  readonly path: string
  /** The body as it is sent. */
  readonly body: string | undefined
  /** The key that the call is sent with, if its operation makes one. */
  readonly idempotencyKey: string | undefined

  constructor(spec: OperationSpec, path: string, body: string | undefined, idempotencyKey: string | undefined) {
    this.spec = spec
    this.path = path
    this.body = body
    this.idempotencyKey = idempotencyKey
  }

  /** The operation's name, for example `catfact-ninja.fact`. */
  get operation(): string {
    return this.spec.name
  }
}

/** The run that a call belongs to, as the call sees it. */
export interface Scope {
  /** The moment by which the run ends, in ms from its start. */
  readonly deadline: number
  /** By when its first caller wants it, in ms from the run's start, where the deadline does not say. */
  readonly patience?: number
  /** The inbound headers, lower case; an upstream's `forwardHeaders` selects from them. */
  readonly headers: Readonly<Record<string, string | undefined>>
  /**
   * Records what a layer reads of `headers`; none where the reply cannot be kept, or where the call is shared by
   * several callers.
   */
  readonly reads?: HeaderReads | undefined
  /** The result of the aggregate's `context`; `undefined` where the call is shared by several callers. */
  readonly context?: unknown
  /** Cut when the run is over, for whatever reason. */
  readonly abort: Abort
  /** The state that each bulkhead keeps about this run. All calls of a run share it, coalesced calls too. */
  readonly admitted: Map<object, object>
  /** The moment now, in ms from the run's start. */
  now(): number
  emit(event: CallEvent): void
  /**
   * True if an observer needs every event; otherwise only the ends of calls are emitted.
   * @default true
   */
  readonly isWatched?: boolean
}

/** The effort spent on a call so far, all its attempts together. */
export interface Effort {
  /** The number of attempts. */
  attempts: number
  /** The time it has waited for a permit, in ms. */
  queuedMs: number
  /** True if the upstream was asked, by this call or by an equal one that it shares. */
  sent: boolean
  /** True if it was repeated without charge after a connection was closed as idle; that happens once per call. */
  hadFreeRetry: boolean
  /** True if a custom layer at `'call'` gave it a header that identifies the caller. */
  namesCaller: boolean
  /**
   * The headers of a 2xx or 3xx response to an unsafe call; empty where its outcome is unknown. `undefined` while the
   * call has changed nothing.
   */
  changed: ResponseHeaders | undefined
}

/** One attempt on its way. */
export interface Attempt {
  /** True if it may wait for a permit; if not, it is refused where none is free. */
  readonly mayWait: boolean
  /** True if it has left for the wire. */
  sent: boolean
  /** True if it needs a connection that has not served a request before. */
  readonly needsNew: boolean
  /**
   * Resolves when the transport releases an attempt that was aborted before it had a connection. Its permit is held
   * until then.
   */
  held: Promise<void> | undefined
}

const firstAttempt = (): Attempt => ({ mayWait: true, sent: false, needsNew: false, held: undefined })
const firstEffort = (): Effort => ({
  attempts: 0,
  queuedMs: 0,
  sent: false,
  hadFreeRetry: false,
  namesCaller: false,
  changed: undefined,
})

/** A call that is under way: it belongs to a run, can be stopped, and counts its effort. */
export class LiveCall<out T> {
  declare readonly [answer]: T
  readonly spec: OperationSpec
  readonly path: string
  readonly body: string | undefined
  readonly idempotencyKey: string | undefined
  /** Headers it was given on its way, by lower-case name. */
  readonly headers: Readonly<Record<string, string>> | undefined
  /** Stops the call; the reason is what it then rejects with. */
  readonly abort: Abort
  readonly scope: Scope
  /** Which step of the run asks, by position. */
  readonly step: number
  /** Which call of that step this is, by position. */
  readonly index: number
  /** The number of calls of that step. */
  readonly siblingCount: number
  readonly effort: Effort
  readonly attempt: Attempt
  /** True if it asks if something has changed, so that a 304 is an answer. */
  readonly isConditional: boolean

  constructor(
    call: Pick<Call<T>, 'spec' | 'path' | 'body' | 'idempotencyKey'>,
    abort: Abort,
    scope: Scope,
    step: number,
    index: number,
    of = 1,
    effort = firstEffort(),
    attempt = firstAttempt(),
    headers?: LiveCall<T>['headers'],
    isConditional = false,
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
  }

  /** The same attempt of the same call, with an abort of its own. */
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
    )
  }

  /** The same question of another scope, with nothing spent on it. */
  detached(abort: Abort, scope: Scope): LiveCall<T> {
    const effort = firstEffort()
    effort.namesCaller = this.effort.namesCaller
    return new LiveCall(this, abort, scope, 0, 0, 1, effort, firstAttempt(), this.headers, this.isConditional)
  }

  /** The same call for one more attempt, which needs a new connection once the call was repeated without charge. */
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
      { mayWait, sent: false, needsNew: effort.hadFreeRetry, held: undefined },
      this.headers,
      this.isConditional,
    )
  }

  /** True if asking twice does no more than asking once (RFC 9110, section 9.2.2). */
  get isRepeatable(): boolean {
    return this.spec.idempotent || this.idempotencyKey !== undefined
  }

  /** The same attempt with headers of its own, by lower-case name; they stand over all others. */
  withHeaders(headers: Readonly<Record<string, string>>): LiveCall<T> {
    return Object.assign(this.withAbort(this.abort), { headers: { ...this.headers, ...headers } })
  }
  /** The same attempt under a condition: headers that ask whether something has changed. */
  conditional(condition: Readonly<Record<string, string>>): LiveCall<T> {
    return Object.assign(this.withHeaders(condition), { isConditional: true })
  }
}
