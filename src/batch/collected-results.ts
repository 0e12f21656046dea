import { Problem, type ErrorCode } from '../errors.ts'
import type { BatchCall } from './batch-call.ts'
import type { BatchCounts, BatchFailure } from './batch-start.ts'
import type { BatchAnswer, ResultState, WrittenResult } from './result.ts'
import { failedResult } from './write-result.ts'

/** The number of failures above which only the first failure of each code is kept. */
const mostFailures = 10

/** The results of a batch so far. */
export class CollectedResults {
  readonly #calls: readonly BatchCall[]
  readonly #maxBytes: number
  readonly #results: (WrittenResult | undefined)[]
  readonly #codes = new Map<ErrorCode, number>()
  readonly #codesOfCalls: (ErrorCode | undefined)[] = []
  readonly #states: Record<ResultState, number> = { ok: 0, stale: 0, partial: 0, failed: 0, notSent: 0 }
  /** The failures of calls, for a log. Their number is limited. */
  readonly failures: BatchFailure[] = []
  #count = 0
  #bytes = 0
  #retryAfter: number | undefined

  constructor(calls: readonly BatchCall[], maxBytes: number) {
    this.#calls = calls
    this.#maxBytes = maxBytes
    this.#results = calls.map(() => undefined)
  }

  /**
   * Adds the result of a call.
   *
   * @param problem The failure, or the failure that a stale answer replaces.
   * @returns The result, or the failure of a result with which all results together would be too large.
   */
  add(call: BatchCall, written: WrittenResult, problem: Problem | undefined): WrittenResult {
    const bytes = Buffer.byteLength(written.text)
    if (written.code === undefined && this.#bytes + bytes > this.#maxBytes) return this.#addTooLarge(call)
    this.#bytes += bytes
    this.#results[call.index] = written
    this.#count++
    this.#states[written.state]++
    if (problem !== undefined) this.#addFailure(call, problem)
    const { retryAfter } = written
    if (retryAfter !== undefined) this.#retryAfter = Math.max(this.#retryAfter ?? 0, retryAfter)
    return written
  }

  #addTooLarge(call: BatchCall): WrittenResult {
    const detail = `The result has no room: all results of a batch have at most ${this.#maxBytes} bytes together.`
    const problem = new Problem('UPSTREAM_TOO_LARGE', { detail })
    return this.add(call, failedResult(call, 'failed', problem, 'full'), problem)
  }

  #addFailure({ index, offered: { name: operation } }: BatchCall, problem: Problem): void {
    const { code } = problem
    const count = this.#codes.get(code) ?? 0
    this.#codes.set(code, count + 1)
    this.#codesOfCalls[index] = code
    if (count === 0 || this.failures.length < mostFailures) this.failures.push({ index, operation, problem })
  }

  /** Returns the code of the failure of a call, or of the failure that its stale answer replaces. */
  codeOf(index: number): ErrorCode | undefined {
    return this.#codesOfCalls[index]
  }

  /** True if every call has a result. */
  get isWhole(): boolean {
    return this.#count === this.#calls.length
  }

  /** The number of results by state, and of failures by code. */
  get counts(): BatchCounts {
    return { calls: this.#calls.length, ...this.#states, codes: this.#codes }
  }

  /** Returns the reply, which has the results in the order of the calls. */
  answer(): BatchAnswer {
    const complete = this.#states.ok === this.#calls.length
    const retryAfter = this.#retryAfter
    const results = this.#results.map(result => (result as WrittenResult).text).join(',')
    const text =
      `{"results":[${results}],"complete":${complete}` +
      (retryAfter === undefined ? '}' : `,"retryAfter":${retryAfter}}`)
    return { text, complete, retryAfter }
  }
}
