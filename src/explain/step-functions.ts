import { Abort } from '../core/abort.ts'
import { currentInvocation, type Invocation } from '../fanout/offload/invocation.ts'
import { labelOf, type Step } from '../fanout/step.ts'
import { currentExplanation, type Explaining } from '../upstream/call/explaining.ts'
import type { Runtime } from '../upstream/runtime.ts'
import type { FoundCalls } from './found-calls.ts'
import { placeholder } from './placeholder.ts'
import type { NoteSettings } from './step-notes.ts'

export interface StepSettings extends NoteSettings {
  /** The time that the functions of the step have together, in ms. */
  readonly limit: number
}

/** Thrown by `ask` and by calls when the explanation of a step is over. Nothing reads it. */
export const over = new Error('the explanation of the step is over')

/** Calls the functions of a step, within the time that they have together. */
export class StepFunctions {
  readonly abort = new Abort()
  readonly #step: Step
  readonly #options: StepSettings
  readonly #found: FoundCalls
  /** The end of the time of the functions, in ms. */
  readonly #endsAt: number
  /** Ends the wait for an async function. */
  readonly #stopped = Promise.withResolvers<void>()

  constructor(step: Step, options: StepSettings, found: FoundCalls) {
    this.#step = step
    this.#options = options
    this.#found = found
    this.#endsAt = performance.now() + options.limit
    // A function that does not await its calls may reach their limit, and then nothing waits.
    this.#stopped.promise.catch(() => {})
  }

  /** True if their time is over. */
  get isLate(): boolean {
    return performance.now() >= this.#endsAt
  }

  /** The time that they have, for a note. */
  get limitText(): string {
    return `${Math.ceil(this.#options.limit)} ms`
  }

  /** Ends the wait for an async function. */
  stop(): void {
    this.#stopped.reject(over)
  }

  /** Calls a function, whose calls and offloaded functions belong to the explanation. */
  within<T>(explaining: Explaining, act: () => T): T {
    const { book } = this.#options
    const invocation: Invocation = {
      // Only `offload` uses the runtime of an invocation.
      runtime: {
        offload: ({ name }) => ({ value: Promise.resolve(placeholder(book, `${name}()`)), stop() {} }),
      } as Pick<Runtime, 'offload'> as Runtime,
      abort: this.abort,
      owner: labelOf(this.#step),
      startsAfterAbort: false,
    }
    return currentExplanation.run(explaining, () => currentInvocation.run(invocation, act))
  }

  /** Waits for the value of an async function, for the rest of the time of the step. */
  async awaited(promise: PromiseLike<unknown>): Promise<unknown> {
    const timer = setTimeout(() => {
      this.#found.notes.push(`cannot be shown: its function has not returned after ${this.limitText}`)
      this.stop()
    }, this.#endsAt - performance.now())
    try {
      return await Promise.race([promise, this.#stopped.promise])
    } finally {
      clearTimeout(timer)
    }
  }
}
