import { Abort } from '../../core/abort.ts'
import type { LiveCall } from '../call/call.ts'

/**
 * A call that its run waits for only up to a soft limit. Until it is detached, the run's abort ends it, and the run
 * receives the events of its attempts. Afterwards neither holds. The input of the call stays.
 */
export class Detachable<T> extends Abort {
  /** The call to send. */
  readonly call: LiveCall<T>
  #timer: NodeJS.Timeout | undefined
  #immediate: NodeJS.Immediate | undefined
  #isDetached = false

  constructor(outer: LiveCall<T>) {
    super()
    const { scope } = outer
    outer.abort.add(this)
    this.call = outer.withAbort(this, {
      // Its attempts need timers of their own, which outlast the run.
      deadline: Infinity,
      patience: scope.patience ?? scope.deadline,
      headers: scope.headers,
      abort: this,
      admitted: scope.admitted,
      isWatched: scope.isWatched !== false,
      now: () => scope.now(),
      emit: event => {
        if (!this.#isDetached) scope.emit(event)
      },
    })
  }

  /** Calls `passed` after `ms`, unless the call has ended or is detached by then. */
  limit(ms: number, passed: () => void): void {
    // Timers come before sockets: an answer that has arrived while the loop was held up is read first.
    this.#timer = setTimeout(() => {
      this.#immediate = setImmediate(passed)
    }, ms)
  }

  /** Leaves the run; from now on only `life` ends the call. */
  detach(life: Abort): void {
    this.end()
    this.#isDetached = true
    if (life.aborted) this.abort(life.reason)
    else life.add(this)
  }

  /** Leaves no timer and no listener behind. */
  end(): void {
    clearTimeout(this.#timer)
    clearImmediate(this.#immediate)
    this.listensTo?.delete(this)
  }
}
