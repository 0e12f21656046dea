import type { Answer, Taker } from '../upstream/policies/layer.ts'
import type { CallTaker } from './gather.ts'
import type { Host } from './host.ts'

/** Who asked: counts its unsafe calls under way. */
interface Caller {
  unsafe: number
}

/** One call of a step under way. */
export class Asked implements Taker<unknown> {
  readonly #run: Caller
  readonly #host: Host
  readonly #isSafe: boolean
  readonly #position: number
  readonly #taker: CallTaker

  constructor (run: Caller, host: Host, isSafe: boolean, position: number, taker: CallTaker) {
    this.#run = run
    this.#host = host
    this.#isSafe = isSafe
    this.#position = position
    this.#taker = taker
  }

  win ({ value, cached }: Answer<unknown>): void {
    this.#taker.win(this.#position, value, cached)
    if (!this.#isSafe) this.#over()
  }

  lose (error: unknown): void {
    // Stopped because the run has failed, which is no failure of this step: it is reported as cancelled.
    if (!this.#host.failed || error !== this.#host.abort.reason) this.#taker.lose(this.#position, error)
    if (!this.#isSafe) this.#over()
  }

  #over (): void {
    this.#run.unsafe--
    this.#host.unsafeOver()
  }
}
