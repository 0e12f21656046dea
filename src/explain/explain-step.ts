import { answerOf } from '../fanout/ask.ts'
import { readCallList } from '../fanout/call-list.ts'
import { isChain, type Item } from '../fanout/chain.ts'
import type { ReadInput } from '../fanout/input.ts'
import { isThenable } from '../fanout/is-thenable.ts'
import { returnFault, skipFault } from '../fanout/return-faults.ts'
import { skip } from '../fanout/skip.ts'
import { StepArgs } from '../fanout/step-args.ts'
import { hasSeveralCalls, labelOf, type Step } from '../fanout/step.ts'
import { Call } from '../upstream/call/call.ts'
import type { Explaining } from '../upstream/call/explaining.ts'
import { closeUnsent } from '../upstream/call/write-body/stream-body.ts'
import { FoundCalls, type StepCalls } from './found-calls.ts'
import { placeholder, tokenOf, unknownListOf } from './placeholder.ts'
import { over, StepFunctions, type StepSettings } from './step-functions.ts'
import { comparisonNotes, failureNote } from './step-notes.ts'
import { writtenCall } from './written-call.ts'

/** The values that the function of a step gets. */
export interface StepValues {
  readonly input: ReadInput
  /** The value of context(); undefined without one. */
  readonly context: unknown
  /** The values of the steps that it needs, by name. */
  readonly needs: Readonly<Record<string, unknown>>
}

/** Calls the function of a step once, with placeholders for values of other steps, and collects its calls. */
export async function explainStep(step: Step, values: StepValues, options: StepSettings): Promise<StepCalls> {
  const invocation = new StepInvocation(step, options)
  try {
    await invocation.run(values)
  } catch (error) {
    invocation.failed(error)
  }
  return invocation.end()
}

/** One invocation of the function of a step. Its state is `invoked`, then `collected` or `unclear`. */
class StepInvocation implements Explaining {
  readonly #step: Step
  readonly #options: StepSettings
  readonly #found: FoundCalls
  readonly #functions: StepFunctions
  #asked = 0
  #isOver = false
  #hasFailed = false

  constructor(step: Step, options: StepSettings) {
    this.#step = step
    this.#options = options
    this.#found = new FoundCalls(options.book)
    this.#functions = new StepFunctions(step, options, this.#found)
  }

  async run(values: StepValues): Promise<void> {
    const { handler } = this.#step
    const args = new StepArgs(values.input, this.#owner(), values.context)
    Object.assign(args, values.needs)
    this.#options.book.begin()
    const returned = this.#functions.within(this, () => handler(args as never))
    await this.#read(isThenable(returned) ? await this.#functions.awaited(returned) : returned)
  }

  callOf(...[spec, input, error]: Parameters<Explaining['callOf']>): Call<unknown> {
    if (this.#isOver) throw error
    return writtenCall(spec, input, this.#options.book, error)
  }

  failed(error: unknown): void {
    this.#hasFailed = true
    if (error !== over) this.#found.notes.push(failureNote(error, this.#options))
  }

  /** Ends the invocation: later calls of its function are ignored, and its signal is aborted. */
  end(): StepCalls {
    this.#isOver = true
    this.#functions.abort.abort(over)
    // The note of a failure already names such a value.
    const read = this.#hasFailed
      ? []
      : comparisonNotes(
          this.#found.calls.map(({ call }) => call),
          this.#options.book,
        )
    return { calls: this.#found.calls, notes: [...this.#found.notes, ...read] }
  }

  #owner() {
    const send: Parameters<typeof answerOf>[1] = (call, completion) => {
      closeUnsent(call)
      const { maxItems } = this.#step
      // After the end the answer never arrives, so that the function does not continue.
      if (this.#isOver) return
      if (this.#asked === maxItems) {
        this.#found.note(`asks more than ${maxItems} calls for values that are not known`)
        return this.#functions.stop()
      }
      this.#asked++
      this.#found.add(call, undefined)
      completion.resolve(placeholder(this.#options.book, this.#found.answerName(call)))
    }
    return { abort: this.#functions.abort, ask: (call: unknown) => answerOf(call, send) }
  }

  async #read(returned: unknown): Promise<void> {
    const step = this.#step
    const fault = returned === skip && step.kind !== 'optional' && step.kind !== 'each' && step.kind !== 'pages'
    if (fault) this.#found.notes.push(skipFault(step))
    else if (returned === skip) this.#found.notes.push('skipped for this input')
    else if (returned instanceof Call) this.#returnedCall(returned)
    else if (tokenOf(returned) !== undefined) this.#readUnknown()
    else if (step.kind === 'pages') this.#found.notes.push(`${labelOf(step)} must return a call`)
    else if (hasSeveralCalls(step.kind)) await this.#readList(returned)
    else this.#readValue(returned)
  }

  #returnedCall(call: Call<unknown>): void {
    const { kind, maxItems } = this.#step
    closeUnsent(call)
    this.#found.add(call, undefined)
    if (kind === 'pages') this.#found.notes.push(`further pages by next(): at most ${maxItems} pages`)
    else if (hasSeveralCalls(kind)) this.#found.notes.push(`${labelOf(this.#step)} must return a list of calls`)
  }

  /** Handles a value that is not known. After asked calls it is their answer, or made from it. */
  #readUnknown(): void {
    if (this.#found.calls.length === 0) this.#found.notes.push('returns a value that is not known')
  }

  #readValue(returned: unknown): void {
    const fault = returnFault(this.#step, returned)
    if (fault !== undefined) this.#found.notes.push(fault)
    else if (this.#found.calls.length === 0) this.#found.notes.push('makes no call')
  }

  async #readList(returned: unknown): Promise<void> {
    const list = unknownListOf(returned)
    if (Array.isArray(returned)) for (const item of returned) closeUnsent(Object(isChain(item) ? item.first : item))
    const items = readCallList(list === undefined ? this.#step : { ...this.#step, count: 0 }, returned, false)
    for (const item of items) {
      if (isChain(item)) this.#found.add(item.first, list, await this.#linksOf(item))
      else this.#found.add(item, list)
    }
    if (items.length === 0 && this.#found.calls.length === 0) this.#found.notes.push('makes no call')
  }

  /** Calls the functions of a chain, each with placeholders for the values before, and returns their calls. */
  async #linksOf({ first, links }: Extract<Item, { readonly links: unknown }>): Promise<Call<unknown>[]> {
    const { book } = this.#options
    const values: unknown[] = [placeholder(book, first.operation)]
    const calls: Call<unknown>[] = []
    for (const link of links) {
      // A function that does not wait holds the event loop, so that no timer ends it.
      if (this.#functions.isLate) {
        this.#found.note(`cannot be shown whole: its functions took more than ${this.#functions.limitText}`)
        break
      }
      try {
        const returned = this.#functions.within(this, () => link(...(values as never[])))
        const value = isThenable(returned) ? await this.#functions.awaited(returned) : returned
        if (value instanceof Call) {
          closeUnsent(value)
          calls.push(value)
          values.push(placeholder(book, `${value.operation}#${calls.length + 1}`))
        } else values.push(value)
      } catch (error) {
        if (error === over) throw over
        this.#found.note(failureNote(error, this.#options))
        break
      }
    }
    return calls
  }
}
