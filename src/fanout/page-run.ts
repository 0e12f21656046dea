import { UpstreamError, type ErrorCode } from '../errors.ts'
import type { Abort } from '../core/abort.ts'
import type { Cached } from '../upstream/spec/answer.ts'
import type { CallCompletion, CallGroup, SendCall } from './call-group.ts'
import type { CallCounts } from './events.ts'
import { invoke } from './invoke.ts'
import { isThenable } from './is-thenable.ts'
import { failedCall, type FailedCall, type State } from './outcome.ts'
import { PageBuffer } from './page-buffer.ts'
import { PageCalls } from './page-calls.ts'
import type { PartialValue } from './partial-values.ts'
import type { RunHandle } from './run-handle.ts'
import type { Step } from './step.ts'
import { upstreamInputError } from './upstream-input.ts'

export interface PageRunOptions {
  readonly step: Step
  readonly run: RunHandle
  readonly abort: Abort
  /** The arguments of the step. `next` gets them too. */
  readonly args: object
  readonly send: SendCall
  /** Called with the pages in order: all of them, or with `onLoss: 'keep'` those before the first lost one. */
  readonly done: (pages: readonly unknown[], tally: CallCounts, state: State) => void
  readonly fail: (error: unknown, tally: CallCounts) => void
}

/** Failures of `next` that no event of a call reports. */
const refusals: ReadonlySet<ErrorCode> = new Set(['UPSTREAM_CALL_INPUT_INVALID', 'UPSTREAM_PAGE_LOOP'])

/**
 * One `pages` of one run. Sends the calls that are known, at most `concurrency` at once, and asks `next` for more calls
 * when all their pages have arrived. Settles once, with `done` or `fail`.
 */
export class PageRun implements CallGroup, CallCompletion {
  readonly #options: PageRunOptions
  readonly #calls: PageCalls
  readonly #buffer = new PageBuffer()
  readonly #failed: FailedCall[] = []
  #sent = 0
  #inFlight = 0
  #isDraining = false
  #isSettled = false

  constructor(options: PageRunOptions) {
    this.#options = options
    this.#calls = new PageCalls(options.step)
  }

  /**
   * Sends the call that the function of the step returned.
   *
   * @throws TypeError for any other value
   */
  start(returned: unknown): void {
    this.#calls.addFirst(returned)
    this.#drain()
  }

  resolve(index: number, value: unknown, cached: Cached | undefined): void {
    this.#inFlight--
    if (this.#isSettled) return
    this.#buffer.add(index, value, cached?.insteadOf !== undefined)
    const { run, step } = this.#options
    if (run.progress !== undefined && step.minSuccess !== undefined && !run.isClosed) run.progress.pageEnded(step)
    this.#proceed()
  }

  reject(index: number, error: unknown): void {
    this.#inFlight--
    this.#lose(index, error)
  }

  /** Counts the first page that has not arrived as lost. It has no call yet if `next` has not returned. */
  forceSettle(reason: unknown): void {
    this.#lose(this.#buffer.pages.length, reason)
  }

  /** Returns the pages so far; undefined if a page that is lost fails the step. */
  soFar(): PartialValue | undefined {
    if (this.#options.step.minSuccess === undefined) return undefined
    const { pages } = this.#buffer
    return { value: pages.slice(), arrived: pages.length }
  }

  #lose(index: number, error: unknown): void {
    if (this.#isSettled) return
    if (error instanceof UpstreamError) this.#failed.push(failedCall(index, error))
    if (!(error instanceof UpstreamError) || this.#options.step.minSuccess === undefined) return this.#fail(error)
    this.#buffer.endAt(index)
    this.#proceed()
  }

  #proceed(): void {
    const { isWhole, pages } = this.#buffer
    if (isWhole) this.#done()
    else if (pages.length < this.#calls.length) this.#drain()
    else if (this.#calls.omitted === 0) this.#askNext()
    else this.#done()
  }

  /** Sends calls. A call may end before `send` returns; the outer loop then goes on. */
  #drain(): void {
    if (this.#isDraining) return
    this.#isDraining = true
    const { send, step } = this.#options
    while (!this.#isSettled && this.#sent < this.#known && this.#inFlight < step.concurrency) {
      const index = this.#sent++
      this.#inFlight++
      send(this.#calls.at(index), index, this)
    }
    this.#isDraining = false
  }

  /** The number of pages that are known and needed. */
  get #known(): number {
    return Math.min(this.#calls.length, this.#buffer.end)
  }

  #askNext(): void {
    const { run, step, args, abort } = this.#options
    // A listener may have cancelled the run at the end of the last call.
    if (run.isClosed) return
    // The run counts its pages with its own list, which code without types could change.
    const pages = Object.freeze(this.#buffer.pages.slice())
    const index = pages.length - 1
    const { next } = step as Step & { readonly next: NonNullable<Step['next']> }
    let returned: unknown
    let isAsync: boolean
    try {
      returned = invoke(run, (given: object) => next(pages[index], index, given, pages), args, abort, step)
      isAsync = isThenable(returned)
    } catch (error) {
      return this.#nextFailed(error)
    }
    if (!isAsync) return this.#add(returned)
    Promise.resolve(returned).then(
      value => this.#add(value),
      error => this.#nextFailed(error),
    )
  }

  #add(returned: unknown): void {
    if (this.#isOver) return
    const before = this.#calls.length
    try {
      this.#calls.addNext(returned)
    } catch (error) {
      return this.#nextFailed(error)
    }
    if (this.#calls.length === before) this.#done()
    else this.#drain()
  }

  /** Handles a failure of `next` or of its calls. A list above `maxPages` fails the step, whatever `onLoss` is. */
  #nextFailed(error: unknown): void {
    if (this.#isOver) return
    const failure = upstreamInputError(error) ?? error
    if (!(failure instanceof UpstreamError) || failure.code === 'UPSTREAM_TOO_MANY_ITEMS') return this.#fail(failure)
    if (refusals.has(failure.code)) this.#options.run.callRefused(this.#options.step, failure)
    this.#lose(this.#calls.length, failure)
  }

  /** True if the result of an async `next` comes too late. */
  get #isOver(): boolean {
    return this.#isSettled || this.#options.run.isClosed
  }

  #done(): void {
    const { end, isStale, pages } = this.#buffer
    const isLost = this.#failed.some(({ index }) => index === end)
    const state = isLost || this.#omitted !== 0 ? 'partial' : isStale ? 'stale' : 'ok'
    // Copy the list: the old one may be tenured and would retain young values until the next major GC.
    this.#options.done(pages.slice(), this.#settle(), state)
  }

  /** The list may have become shorter than `maxPages` since its length was read. */
  get #omitted(): number | null {
    return this.#buffer.endsWithNull ? 0 : this.#calls.omitted
  }

  #fail(error: unknown): void {
    this.#options.fail(error, this.#settle())
  }

  /** Returns the counts. A page whose call was not made, because `next` failed, counts as a failed call. */
  #settle(): CallCounts {
    this.#isSettled = true
    const omitted = this.#omitted
    const unsent = this.#failed.some(({ index }) => index >= this.#sent) ? 1 : 0
    const counts = {
      calls: this.#sent + unsent,
      ok: this.#buffer.answers,
      failed: this.#failed.toSorted((a, b) => a.index - b.index),
    }
    this.#buffer.clear()
    return omitted === 0 ? counts : { ...counts, omitted }
  }
}
