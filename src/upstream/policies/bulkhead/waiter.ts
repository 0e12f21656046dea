import { Abortable } from '../../../core/abort.ts'
import type { LinkedQueue } from '../../../core/linked-queue.ts'
import type { LiveCall } from '../../call/live-call.ts'
import { reportWait } from '../../call/wait.ts'
import type { QueuedCall } from './flow.ts'
import type { Admission } from './admission.ts'
import type { Completion } from '../../call/layer.ts'

/** The callbacks of a call that leaves the queue. One of them is called. */
export interface WaiterCallbacks {
  /** Called when the waiter was aborted. It removes the waiter from the queue. */
  readonly aborted: (waiter: Waiter) => void
  /** Called when the queue has given the waiter a permit. */
  readonly granted: (waiter: Waiter) => void
}

/** A call that waits in the queue for a permit. It leaves the queue at once when it is aborted. */
export class Waiter extends Abortable implements QueuedCall {
  queue: LinkedQueue<QueuedCall> | undefined
  previousInQueue: QueuedCall | undefined
  nextInQueue: QueuedCall | undefined
  readonly call: LiveCall<unknown>
  readonly admission: Admission
  readonly completion: Completion<unknown>
  readonly #since: number
  readonly #callbacks: WaiterCallbacks

  constructor(
    call: LiveCall<unknown>,
    admission: Admission,
    completion: Completion<unknown>,
    callbacks: WaiterCallbacks,
  ) {
    super()
    this.call = call
    this.admission = admission
    this.completion = completion
    this.#since = call.scope.now()
    this.#callbacks = callbacks
    call.abort.add(this)
  }

  grant(): void {
    this.#reportWait()
    this.#callbacks.granted(this)
  }

  onAbort(reason: unknown): void {
    this.#callbacks.aborted(this)
    this.#reportWait()
    if (this.call.effort.attempts === 0) this.admission.done(this.call)
    this.completion.reject(reason)
  }

  #reportWait(): void {
    const { call } = this
    call.abort.delete(this)
    const ms = call.scope.now() - this.#since
    call.effort.queuedMs += ms
    reportWait(call, 'permit', ms)
  }
}
