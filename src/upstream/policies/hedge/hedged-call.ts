import { Abort } from '../../../core/abort.ts'
import type { HedgeResult } from '../../../metrics/operation-metrics.ts'
import type { ResendRefusal } from '../../call/events.ts'
import type { LiveCall } from '../../call/live-call.ts'
import { refusalOf, reportRefusedResend } from '../../call/report.ts'
import type { Answer, Service } from '../../call/layer.ts'

export interface HedgedCallOptions {
  /** The time from the first attempt to the second, in ms. */
  readonly afterMs: number
  /** Returns whether a second attempt may be sent, and counts it. */
  readonly take: () => boolean
  /** Called when the second attempt was not sent. */
  readonly refund: () => void
}

/** The abort reason of the slower attempt. Its call has already been answered. */
const lostRace = new DOMException('another attempt has answered', 'AbortError')

/**
 * Two attempts of one call. The second is sent later. The first good answer is used. The call fails when both attempts
 * have failed.
 */
export class HedgedCall<T> {
  readonly #next: Service
  readonly #call: LiveCall<T>
  readonly #options: HedgedCallOptions
  readonly #first = new Abort()
  #second: Abort | undefined
  /** The second attempt; `undefined` when it has ended. */
  #secondCall: LiveCall<T> | undefined
  #isOver = false
  /** True if it was reported that the second attempt was refused. It is tried again, and reported once. */
  #isRefusalReported = false
  #timer!: NodeJS.Timeout
  /** The failure of the first attempt while the second is in flight. */
  #failure: { readonly error: unknown } | undefined
  #resolve!: (answer: Answer<T>) => void
  #reject!: (error: unknown) => void

  constructor(next: Service, call: LiveCall<T>, options: HedgedCallOptions) {
    this.#next = next
    this.#call = call
    this.#options = options
  }

  run(): Promise<Answer<T>> {
    const { abort } = this.#call
    abort.add(this.#first)
    return new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
      this.#timer = setTimeout(() => this.#sendSecond(), this.#options.afterMs)
      this.#next(this.#call.withAbort(this.#first)).then(
        answer => this.#onAnswer(answer, false),
        error => this.#onFirstFailure(error),
      )
    })
  }

  #sendSecond(): void {
    // The first attempt may end in a later turn of the event loop than the abort.
    if (this.#call.abort.aborted) return
    if (!this.#options.take()) return this.#refused('budget')
    const second = (this.#second = new Abort())
    this.#call.abort.add(second)
    const call = (this.#secondCall = this.#call.nextAttempt(second, false))
    call.attempt.hedged = this.#call.attempt.span
    this.#next(call).then(
      answer => this.#onAnswer(answer, true),
      (error: unknown) => {
        if (!call.attempt.sent) {
          this.#options.refund()
          this.#refused(refusalOf(error))
        }
        this.#onSecondFailure()
      },
    )
  }

  /**
   * Starts the timer again. The slowest calls need a second attempt most, and a permit or the budget may be available
   * then.
   */
  #refused(reason: ResendRefusal | undefined): void {
    if (this.#isOver || this.#failure !== undefined) return
    if (reason !== undefined && !this.#isRefusalReported) {
      this.#isRefusalReported = true
      reportRefusedResend(this.#call, 'hedge', reason)
    }
    this.#timer.refresh()
  }

  #onAnswer(answer: Answer<T>, isSecond: boolean): void {
    this.#countSecond(isSecond ? 'won' : 'lost')
    this.#leave()
    this.#first.abort(lostRace)
    this.#second?.abort(lostRace)
    this.#resolve(answer)
  }

  #onFirstFailure(error: unknown): void {
    this.#failure = { error }
    if (this.#second === undefined) this.#fail(error)
  }

  #onSecondFailure(): void {
    this.#countSecond(this.#call.abort.aborted ? 'lost' : 'failed')
    if (this.#second !== undefined) this.#call.abort.delete(this.#second)
    this.#second = undefined
    if (this.#failure !== undefined) this.#fail(this.#failure.error)
  }

  /** Counts the result of the second attempt once, if it was sent. */
  #countSecond(result: HedgeResult): void {
    const second = this.#secondCall
    this.#secondCall = undefined
    if (second?.attempt.sent === true) this.#call.metrics.hedged(result)
  }

  #fail(error: unknown): void {
    this.#leave()
    this.#reject(error)
  }

  /** Removes the timer and the abort listeners. */
  #leave(): void {
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#call.abort.delete(this.#first)
    if (this.#second !== undefined) this.#call.abort.delete(this.#second)
  }
}
