import { Abort } from '../../core/abort.ts'
import type { LiveCall } from '../call/live-call.ts'
import { DetachableSpans } from './detachable-spans.ts'

/**
 * A call for which its run waits only up to a soft limit. Until it is detached, the abort of the run aborts it, and the
 * run receives the events of its attempts. After that, neither applies. The input of the call does not change.
 */
export class Detachable<T> extends Abort {
  /** The call to send. */
  readonly call: LiveCall<T>
  readonly #spans: DetachableSpans | undefined
  #timer: NodeJS.Timeout | undefined
  #immediate: NodeJS.Immediate | undefined
  #isDetached = false

  constructor(outer: LiveCall<T>) {
    super()
    const { scope } = outer
    outer.abort.add(this)
    this.#spans = scope.spans && new DetachableSpans(scope.spans)
    this.call = outer.withAbort(this, {
      // Its attempts need their own timers, which can outlast the run.
      deadline: Infinity,
      patience: scope.patience ?? scope.deadline,
      headers: scope.headers,
      abort: this,
      flow: scope.flow,
      admitted: scope.admitted,
      spans: this.#spans,
      trace: scope.trace,
      isWatched: scope.isWatched !== false,
      now: () => scope.now(),
      emit: event => {
        if (!this.#isDetached) scope.emit(event)
      },
    })
  }

  /** Calls `passed` after `ms`, unless the call has ended or is detached before. */
  limit(ms: number, passed: () => void): void {
    // Node.js runs timers before it polls sockets. An answer that arrived while the event loop was blocked is read
    // first.
    this.#timer = setTimeout(() => {
      this.#immediate = setImmediate(passed)
    }, ms)
  }

  /** Detaches the call from its run. After that, only `life` aborts it. */
  detach(life: Abort): void {
    this.end()
    this.#isDetached = true
    this.#spans?.detach(this.call.step)
    if (life.aborted) this.abort(life.reason)
    else life.add(this)
  }

  /** Removes the timers and the abort listener. */
  end(): void {
    clearTimeout(this.#timer)
    clearImmediate(this.#immediate)
    this.listensTo?.delete(this)
  }
}
