import type { CallRun } from './call-run.ts'

/** The time after which the calls that can go on wait for the next turn of the event loop, in ms. */
const turnMs = 5

/** The part of a batch that its ready calls use. */
export interface ReadyCallsOwner {
  /** True if the batch was stopped or has settled. Its calls then do not go on. */
  readonly isClosed: boolean
  /** Called when all ready calls have gone on. */
  readyCallsStarted(): void
}

/** The calls of a batch that can go on, in the order in which they became ready. */
export class ReadyCalls {
  readonly #owner: ReadyCallsOwner
  /** A list, because a call may end before its start has returned. */
  readonly #queue: CallRun[] = []
  #isDraining = false

  constructor(owner: ReadyCallsOwner) {
    this.#owner = owner
  }

  add(run: CallRun): void {
    this.#queue.push(run)
  }

  /** Makes the calls, in turns of the event loop. */
  drain(): void {
    if (this.#isDraining) return
    this.#isDraining = true
    const until = performance.now() + turnMs
    while (this.#queue.length > 0 && !this.#owner.isClosed) {
      // Many calls may take a large value of one call, and each of them reads and writes it.
      if (performance.now() > until) return void setImmediate(() => this.#drainAgain())
      ;(this.#queue.shift() as CallRun).proceed()
    }
    this.#isDraining = false
    this.#owner.readyCallsStarted()
  }

  #drainAgain(): void {
    this.#isDraining = false
    this.drain()
  }
}
