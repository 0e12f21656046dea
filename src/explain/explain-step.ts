import { Abort } from '../core/abort.ts'
import { answerOf } from '../fanout/ask.ts'
import { readCallList } from '../fanout/call-list.ts'
import { isChain, type Item } from '../fanout/chain.ts'
import type { ReadInput } from '../fanout/input.ts'
import { isThenable } from '../fanout/is-thenable.ts'
import { currentInvocation, type Invocation } from '../fanout/offload/invocation.ts'
import { returnFault, skipFault } from '../fanout/return-faults.ts'
import { skip } from '../fanout/skip.ts'
import { StepArgs } from '../fanout/step-args.ts'
import { hasSeveralCalls, labelOf, type Step } from '../fanout/step.ts'
import { Call } from '../upstream/call/call.ts'
import { currentExplanation, type Explaining } from '../upstream/call/explaining.ts'
import type { Runtime } from '../upstream/runtime.ts'
import { closeUnsent } from '../upstream/call/write-body/stream-body.ts'
import { placeholder, tokenOf, unknownListOf, type UnknownList } from './placeholder.ts'
import { comparisonNotes, failureNote, type NoteSettings } from './step-notes.ts'
import { writtenCall } from './written-call.ts'

/** The values that the function of a step gets. */
export interface StepValues {
  readonly input: ReadInput
  /** The value of context(); undefined without one. */
  readonly context: unknown
  /** The values of the steps that it needs, by name. */
  readonly needs: Readonly<Record<string, unknown>>
}

export interface StepSettings extends NoteSettings {
  /** The time that the functions of the step have together, in ms. */
  readonly limit: number
}

/** The calls that a step makes, with what is known about them. */
export interface StepCalls {
  readonly calls: readonly FoundCall[]
  readonly notes: readonly string[]
}

/** One call that the function of a step asked or returned. */
export interface FoundCall {
  readonly call: Call<unknown>
  /** The list that is not known for whose items such calls are sent. */
  readonly list: UnknownList | undefined
  /** The later calls of its chain. */
  readonly later: readonly Call<unknown>[]
}

/** Thrown by `ask` and by calls when the explanation of a step is over. Nothing reads it. */
const over = new Error('the explanation of the step is over')

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
  readonly #abort = new Abort()
  /** The end of the time of its functions, in ms. */
  readonly #endsAt: number
  readonly #calls: FoundCall[] = []
  readonly #notes: string[] = []
  #asked = 0
  #isOver = false
  #hasFailed = false
  /** Ends the wait for an async function. */
  readonly #stopped = Promise.withResolvers<void>()

  constructor(step: Step, options: StepSettings) {
    this.#step = step
    this.#options = options
    this.#endsAt = performance.now() + options.limit
    // A function that does not await its calls may reach their limit, and then nothing waits.
    this.#stopped.promise.catch(() => {})
  }

  async run(values: StepValues): Promise<void> {
    const { handler } = this.#step
    const args = new StepArgs(values.input, this.#owner(), values.context)
    Object.assign(args, values.needs)
    this.#options.book.begin()
    const returned = this.#within(() => handler(args as never))
    await this.#read(isThenable(returned) ? await this.#awaited(returned) : returned)
  }

  callOf(...[spec, input, error]: Parameters<Explaining['callOf']>): Call<unknown> {
    if (this.#isOver) throw error
    return writtenCall(spec, input, this.#options.book, error)
  }

  failed(error: unknown): void {
    this.#hasFailed = true
    if (error !== over) this.#notes.push(failureNote(error, this.#options))
  }

  /** Ends the invocation: later calls of its function are ignored, and its signal is aborted. */
  end(): StepCalls {
    this.#isOver = true
    this.#abort.abort(over)
    // The note of a failure already names such a value.
    const read = this.#hasFailed
      ? []
      : comparisonNotes(
          this.#calls.map(({ call }) => call),
          this.#options.book,
        )
    return { calls: this.#calls, notes: [...this.#notes, ...read] }
  }

  #within<T>(act: () => T): T {
    const { book } = this.#options
    const invocation: Invocation = {
      // Only `offload` uses the runtime of an invocation.
      runtime: {
        offload: ({ name }) => ({ value: Promise.resolve(placeholder(book, `${name}()`)), stop() {} }),
      } as Pick<Runtime, 'offload'> as Runtime,
      abort: this.#abort,
      owner: labelOf(this.#step),
      startsAfterAbort: false,
    }
    return currentExplanation.run(this, () => currentInvocation.run(invocation, act))
  }

  #owner() {
    const send: Parameters<typeof answerOf>[1] = (call, completion) => {
      closeUnsent(call)
      const { maxItems } = this.#step
      // After the end the answer never arrives, so that the function does not continue.
      if (this.#isOver) return
      if (this.#asked === maxItems) {
        this.#note(`asks more than ${maxItems} calls for values that are not known`)
        return this.#stopped.reject(over)
      }
      this.#asked++
      this.#add(call, undefined)
      completion.resolve(placeholder(this.#options.book, this.#answerName(call)))
    }
    return { abort: this.#abort, ask: (call: unknown) => answerOf(call, send) }
  }

  /** Returns the template of an answer: the operation, and its number from the second call on. */
  #answerName({ operation }: Call<unknown>): string {
    const before = this.#calls.filter(({ call }) => call.operation === operation).length
    return before === 1 ? operation : `${operation}#${before}`
  }

  /** Waits for the value of an async function, for the rest of the time of the step. */
  async #awaited(promise: PromiseLike<unknown>): Promise<unknown> {
    const timer = setTimeout(() => {
      this.#notes.push(`cannot be shown: its function has not returned after ${this.#limitText}`)
      this.#stopped.reject(over)
    }, this.#endsAt - performance.now())
    try {
      return await Promise.race([promise, this.#stopped.promise])
    } finally {
      clearTimeout(timer)
    }
  }

  get #limitText(): string {
    return `${Math.ceil(this.#options.limit)} ms`
  }

  async #read(returned: unknown): Promise<void> {
    const step = this.#step
    const fault = returned === skip && step.kind !== 'optional' && step.kind !== 'each' && step.kind !== 'pages'
    if (fault) this.#notes.push(skipFault(step))
    else if (returned === skip) this.#notes.push('skipped for this input')
    else if (returned instanceof Call) this.#returnedCall(returned)
    else if (tokenOf(returned) !== undefined) this.#readUnknown()
    else if (step.kind === 'pages') this.#notes.push(`${labelOf(step)} must return a call`)
    else if (hasSeveralCalls(step.kind)) await this.#readList(returned)
    else this.#readValue(returned)
  }

  #returnedCall(call: Call<unknown>): void {
    const { kind, maxItems } = this.#step
    closeUnsent(call)
    this.#add(call, undefined)
    if (kind === 'pages') this.#notes.push(`further pages by next(): at most ${maxItems} pages`)
    else if (hasSeveralCalls(kind)) this.#notes.push(`${labelOf(this.#step)} must return a list of calls`)
  }

  /** Handles a value that is not known. After asked calls it is their answer, or made from it. */
  #readUnknown(): void {
    if (this.#calls.length === 0) this.#notes.push('returns a value that is not known')
  }

  #readValue(returned: unknown): void {
    const fault = returnFault(this.#step, returned)
    if (fault !== undefined) this.#notes.push(fault)
    else if (this.#calls.length === 0) this.#notes.push('makes no call')
  }

  async #readList(returned: unknown): Promise<void> {
    const list = unknownListOf(returned)
    if (Array.isArray(returned)) for (const item of returned) closeUnsent(Object(isChain(item) ? item.first : item))
    const items = readCallList(list === undefined ? this.#step : { ...this.#step, count: 0 }, returned, false)
    for (const item of items) {
      if (isChain(item)) this.#add(item.first, list, await this.#linksOf(item))
      else this.#add(item, list)
    }
    if (items.length === 0 && this.#calls.length === 0) this.#notes.push('makes no call')
  }

  /** Calls the functions of a chain, each with placeholders for the values before, and returns their calls. */
  async #linksOf({ first, links }: Extract<Item, { readonly links: unknown }>): Promise<Call<unknown>[]> {
    const { book } = this.#options
    const values: unknown[] = [placeholder(book, first.operation)]
    const calls: Call<unknown>[] = []
    for (const link of links) {
      // A function that does not wait holds the event loop, so that no timer ends it.
      if (performance.now() >= this.#endsAt) {
        this.#note(`cannot be shown whole: its functions took more than ${this.#limitText}`)
        break
      }
      try {
        const returned = this.#within(() => link(...(values as never[])))
        const value = isThenable(returned) ? await this.#awaited(returned) : returned
        if (value instanceof Call) {
          closeUnsent(value)
          calls.push(value)
          values.push(placeholder(book, `${value.operation}#${calls.length + 1}`))
        } else values.push(value)
      } catch (error) {
        if (error === over) throw over
        this.#note(failureNote(error, this.#options))
        break
      }
    }
    return calls
  }

  /** Adds a note once: all items of a list may have the same one. */
  #note(note: string): void {
    if (!this.#notes.includes(note)) this.#notes.push(note)
  }

  #add(call: Call<unknown>, list: UnknownList | undefined, later: readonly Call<unknown>[] = []): void {
    this.#calls.push({ call, list: list ?? this.#listIn(call), later })
  }

  /** Returns the list that is not known whose item a call has in its path. */
  #listIn({ path }: Call<unknown>): UnknownList | undefined {
    for (const template of this.#options.book.templatesIn(path)) {
      const end = template.indexOf('[*]')
      if (end !== -1) return { of: template.slice(0, end), atMost: undefined }
    }
    return undefined
  }
}
