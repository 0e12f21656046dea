import type { WorkerSample } from '../../dashboard/protocol.ts'

/**
 * The time without a message after which a worker hangs, in ms. A worker that the primary watches sends a sample each
 * second.
 */
const hungMs = 2500

/** The state of one worker process, from its messages. */
export class WorkerState {
  readonly #now: () => number
  #heardAt = 0
  #isListening = false
  #isStopping = false

  /** @param now A clock in ms. @default performance.now() */
  constructor(now = () => performance.now()) {
    this.#now = now
  }

  /** True from the time at which the worker listens. */
  get isListening(): boolean {
    return this.#isListening
  }

  /** Notes a message of the worker. */
  heard(): void {
    this.#heardAt = this.#now()
  }

  /** Notes that the worker listens. */
  listening(): void {
    this.#isListening = true
  }

  /** Notes that the worker is to stop. */
  stopping(): void {
    this.#isStopping = true
  }

  /** The state, as the dashboard shows it. */
  get shown(): WorkerSample['state'] {
    if (this.#isStopping) return 'stopping'
    if (!this.#isListening) return 'starting'
    return this.#now() - this.#heardAt > hungMs ? 'hung' : 'running'
  }
}
