import { LinkedQueue, type QueueNode } from '../../../core/linked-queue.ts'

/** The run of a queued call. */
export interface QueuedRun {
  /** True if one of its calls holds, or has held, a permit. */
  hasEntered: boolean
}

/** A call in the queue. */
export interface QueuedCall<C extends QueuedCall<C>> extends QueueNode<C> {
  readonly admission: QueuedRun
}

/**
 * A queue of calls that is fair to runs, not to calls. Calls of runs that have entered are first, in the order of their
 * arrival. Behind them, the calls of all other runs (newcomers) wait by run. When the first call of a newcomer receives
 * a permit, its other calls go before the calls of all other newcomers. So the run ends soon and releases its permits.
 *
 * ```
 *   next <- ahead:     a3 a4          calls of runs that have entered
 *           newcomers: b1 b2 | c1     runs that have not entered, in the order of their first calls
 * ```
 */
export class FairQueue<C extends QueuedCall<C>> {
  /** The number of calls. */
  size = 0
  readonly #ahead = new LinkedQueue<C>()
  readonly #newcomers = new Map<QueuedRun, LinkedQueue<C>>()

  push(call: C): void {
    this.size++
    const { admission } = call
    if (admission.hasEntered) return this.#ahead.add(call)
    let queue = this.#newcomers.get(admission)
    if (queue === undefined) this.#newcomers.set(admission, (queue = new LinkedQueue()))
    queue.add(call)
  }

  /** Removes a call from any position. Returns true if it was the last call of a newcomer. */
  remove(call: C): boolean {
    this.size--
    const queue = call.queue as LinkedQueue<C>
    queue.remove(call)
    if (queue === this.#ahead || queue.size > 0) return false
    this.#newcomers.delete(call.admission)
    return true
  }

  /**
   * Returns the call that receives the next permit. If it belongs to a newcomer, all calls of that newcomer are moved
   * ahead.
   */
  next(): C | undefined {
    if (this.size === 0) return undefined
    if (this.#ahead.first === undefined) this.#promote()
    return this.#ahead.first
  }

  /** The first call. Unlike `next`, it does not move calls. */
  get first(): C | undefined {
    return this.#ahead.first ?? this.#newcomers.values().next().value?.first
  }

  /** Moves the calls of the newcomer that has waited longest ahead. */
  #promote(): void {
    const [admission, queue] = this.#newcomers.entries().next().value as [QueuedRun, LinkedQueue<C>]
    this.#newcomers.delete(admission)
    admission.hasEntered = true
    for (let call = queue.first; call !== undefined; call = queue.first) {
      queue.remove(call)
      this.#ahead.add(call)
    }
  }
}
