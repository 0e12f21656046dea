import { percentile } from '../../lib/percentile.ts'

/** Counts of the requests of one group of callers by outcome. */
export interface PartResult {
  readonly asked: number
  /** Requests that were not refused. */
  readonly admitted: number
  /** Replies with status 200 that are complete and have the expected ids. */
  readonly whole: number
  /** Replies with status 200 that are not complete. */
  readonly partial: number
  /**
   * Requests that were refused before any work: `OVERLOADED`, or `BULKHEAD_FULL` for the first call of a run.
   */
  readonly shed: number
  /** Admitted requests that got an error or no reply, by the code of the error. */
  readonly failed: Readonly<Record<string, number>>
  /** Replies with the ids of another request. */
  readonly mixedUp: number
  /** 99th percentile of the time until the end of a complete reply, in ms. */
  readonly p99Ms: number
}

/** The fields of a reply that are checked. */
export interface AnswerBody {
  readonly code?: string
  readonly complete?: boolean
  readonly data?: { readonly ids?: readonly string[] }
}

/** Counts the requests of one group of callers by outcome. */
export class PartMetrics {
  #asked = 0
  #whole = 0
  #partial = 0
  #shed = 0
  #mixedUp = 0
  readonly #failed: Record<string, number> = {}
  readonly #times: number[] = []

  /** Counts a reply. `ids` are the expected ids. */
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

  /** Counts the error of a request without a reply. */
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
