import { percentile } from '../../lib/percentile.ts'

/** Counts of the requests of one part by their end. */
export interface PartResult {
  readonly asked: number
  /** Not refused. */
  readonly admitted: number
  /** Answered 200, complete and with the right ids. */
  readonly whole: number
  /** Answered 200, and not complete. */
  readonly partial: number
  /**
   * Refused before anything was done for it: `OVERLOADED`, or `BULKHEAD_FULL`, which refuses the first call of a run.
   */
  readonly shed: number
  /** Answered with an error after admission, or not at all; by the error's code. */
  readonly failed: Readonly<Record<string, number>>
  /** Answers with ids of another request. */
  readonly mixedUp: number
  /** Time to the end of a whole answer that 99 % stay below, in ms. */
  readonly p99Ms: number
}

/** The fields of a reply that are checked. */
export interface AnswerBody {
  readonly code?: string
  readonly complete?: boolean
  readonly data?: { readonly ids?: readonly string[] }
}

/** Counts the requests of a part by their end. */
export class PartMetrics {
  #asked = 0
  #whole = 0
  #partial = 0
  #shed = 0
  #mixedUp = 0
  readonly #failed: Record<string, number> = {}
  readonly #times: number[] = []

  /** Takes an answer, and the ids that it ought to have. */
  answered(status: number, answer: AnswerBody, ids: readonly string[], ms: number): void {
    this.#asked++
    if (status !== 200) {
      if (answer.code === 'OVERLOADED' || answer.code === 'BULKHEAD_FULL') this.#shed++
      else this.#fail(answer.code ?? String(status))
    } else if ((answer.data?.ids ?? []).join() !== ids.join()) {
      this.#mixedUp++
    } else if (answer.complete !== true) {
      this.#partial++
    } else {
      this.#whole++
      this.#times.push(ms)
    }
  }

  /** Takes the error of a request that got no answer. */
  broke(code: string): void {
    this.#asked++
    this.#fail(code)
  }

  result(): PartResult {
    return {
      asked: this.#asked,
      admitted: this.#asked - this.#shed,
      whole: this.#whole,
      partial: this.#partial,
      shed: this.#shed,
      failed: this.#failed,
      mixedUp: this.#mixedUp,
      p99Ms: percentile(
        this.#times.toSorted((a, b) => a - b),
        0.99,
      ),
    }
  }

  #fail(code: string): void {
    this.#failed[code] = (this.#failed[code] ?? 0) + 1
  }
}
