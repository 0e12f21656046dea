import { UpstreamError } from '../../errors.ts'
import { Abortable } from '../../core/abort.ts'
import { codeOf } from '../../upstream/call/classify.ts'
import type { CallEvent } from '../../upstream/call/events.ts'
import type { Answer, Completion } from '../../upstream/call/layer.ts'
import type { LiveCall } from '../../upstream/call/live-call.ts'
import { outcomeUnknown } from '../../upstream/transport/exchange-errors.ts'
import type { UpstreamSpec } from '../../upstream/spec/spec.ts'
import { heldScope } from './held-scope.ts'
import type { RehearsedFault } from './fault.ts'

type CallEnd = Extract<CallEvent, { type: 'call ended' }>

/**
 * A call whose answer is held back. The call itself is sent at once, so its upstream, and the callers that share the
 * call, have the true times. A failure is not held back.
 */
export class DelayedCall<T> extends Abortable implements Completion<T> {
  /** The call to send. */
  readonly call: LiveCall<T>
  readonly #fault: Extract<RehearsedFault, { kind: 'delay' }>
  readonly #attemptTimeoutOf: (upstream: UpstreamSpec) => number
  readonly #outer: LiveCall<T>
  readonly #completion: Completion<T>
  readonly #startedAt: number
  /** The end of the true call. Its observers receive it at the end of the hold. */
  #end: CallEnd | undefined
  #answer: Answer<T> | undefined
  #timer: NodeJS.Timeout | undefined
  /** True if the held call takes longer than an attempt may take. */
  #isTooSlow = false

  constructor(
    call: LiveCall<T>,
    fault: Extract<RehearsedFault, { kind: 'delay' }>,
    attemptTimeoutOf: (upstream: UpstreamSpec) => number,
    completion: Completion<T>,
  ) {
    super()
    this.#outer = call
    this.#fault = fault
    this.#attemptTimeoutOf = attemptTimeoutOf
    this.#completion = completion
    this.#startedAt = call.scope.now()
    this.call = call.withAbort(
      call.abort,
      heldScope(call.scope, end => {
        this.#end = end
      }),
    )
  }

  resolve(answer: Answer<T>): void {
    const { abort, spec } = this.#outer
    const { ms } = this.#fault
    // The step or the run has ended. It waits for this call only to report it.
    if (abort.aborted) {
      this.#pass()
      return this.#completion.resolve(answer)
    }
    this.#answer = answer
    // An unsafe call has no limit on its attempt.
    const left = spec.safe ? this.#attemptTimeoutOf(spec.upstream) - this.#spentMs() : Infinity
    this.#isTooSlow = ms > left
    this.#timer = setTimeout(() => this.#release(), Math.max(0, Math.min(left, ms)))
    abort.add(this)
  }

  reject(error: unknown): void {
    this.#pass()
    this.#completion.reject(error)
  }

  /** Ends the hold. An unsafe call was sent, so that only the deadline ends it, and its outcome is unknown then. */
  onAbort(reason: unknown): void {
    const call = this.#outer
    if (call.spec.safe) this.#fail(reason)
    else if (reason instanceof UpstreamError && reason.code === 'DEADLINE_EXCEEDED')
      this.#fail(outcomeUnknown(call, reason))
  }

  /** Returns the time that the answered attempt took, in ms; 0 if it is not known, as after several attempts. */
  #spentMs(): number {
    const { attempts, queuedMs } = this.call.effort
    if (attempts !== 1) return 0
    return this.#outer.scope.now() - this.#startedAt - queuedMs
  }

  #release(): void {
    const { abort, spec } = this.#outer
    abort.delete(this)
    if (this.#isTooSlow) {
      const limit = this.#attemptTimeoutOf(spec.upstream)
      return this.#fail(
        new UpstreamError('UPSTREAM_TIMEOUT', spec.upstream.name, { detail: `the limit of an attempt is ${limit} ms` }),
      )
    }
    this.#emit({})
    this.#completion.resolve(this.#answer as Answer<T>)
  }

  #fail(error: unknown): void {
    clearTimeout(this.#timer)
    this.#outer.abort.delete(this)
    this.#emit({
      status: undefined,
      code: codeOf(error, this.#outer),
      error: error instanceof UpstreamError ? error : undefined,
      cached: undefined,
    })
    this.#completion.reject(error)
  }

  /** Reports the end of the true call. */
  #pass(): void {
    if (this.#end !== undefined) this.#outer.scope.emit(this.#end)
  }

  /** Reports the end of the call, with the fields that the hold has changed. */
  #emit(changed: Partial<CallEnd>): void {
    const { scope } = this.#outer
    if (this.#end === undefined) return
    scope.emit({ ...this.#end, ...changed, at: scope.now(), fault: this.#fault.text })
  }
}
