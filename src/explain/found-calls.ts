import type { Call } from '../upstream/call/call.ts'
import type { UnknownList } from './placeholder.ts'
import type { TemplateBook } from './template-book.ts'

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

/** The calls and the notes of one step so far. */
export class FoundCalls {
  readonly calls: FoundCall[] = []
  readonly notes: string[] = []
  readonly #book: TemplateBook

  constructor(book: TemplateBook) {
    this.#book = book
  }

  /** Adds a note once: all items of a list may have the same one. */
  note(note: string): void {
    if (!this.notes.includes(note)) this.notes.push(note)
  }

  add(call: Call<unknown>, list: UnknownList | undefined, later: readonly Call<unknown>[] = []): void {
    this.calls.push({ call, list: list ?? this.#listIn(call), later })
  }

  /** Returns the list that is not known whose item a call has in its path. */
  #listIn({ path }: Call<unknown>): UnknownList | undefined {
    for (const template of this.#book.templatesIn(path)) {
      const end = template.indexOf('[*]')
      if (end !== -1) return { of: template.slice(0, end), atMost: undefined }
    }
    return undefined
  }

  /** Returns the template of an answer: the operation, and its number from the second call on. */
  answerName({ operation }: Call<unknown>): string {
    const before = this.calls.filter(({ call }) => call.operation === operation).length
    return before === 1 ? operation : `${operation}#${before}`
  }
}
