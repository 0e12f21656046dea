import { Abortable } from '../../core/abort.ts'
import { createTimerQueue, type TimerQueue } from '../../core/timer-queue.ts'
import { StoreLate } from './store-errors.ts'

/** The timers of commands: one queue per duration, of which there are few. */
export class CommandTimers {
  readonly #queues = new Map<number, TimerQueue>()

  /** Returns the queue of timers of `ms` each. */
  of(ms: number): TimerQueue {
    let queue = this.#queues.get(ms)
    if (queue === undefined) this.#queues.set(ms, (queue = createTimerQueue(ms, () => new StoreLate(ms))))
    return queue
  }
}

/** A command that was sent. It settles once: with its reply, its failure, or the end of its time. */
class PendingCommand extends Abortable {
  readonly #reject: (reason: unknown) => void

  constructor(reject: (reason: unknown) => void) {
    super()
    this.#reject = reject
  }

  onAbort(reason: unknown): void {
    this.#reject(reason)
  }
}

/** Settles as a sent command, or rejects with `StoreLate` after its time. A reply that comes later is dropped. */
export function withinPatience<T>(timers: TimerQueue, sent: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = timers.start(new PendingCommand(reject))
    sent.then(
      reply => {
        timers.stop(timer)
        resolve(reply)
      },
      (error: unknown) => {
        timers.stop(timer)
        reject(error)
      },
    )
  })
}
