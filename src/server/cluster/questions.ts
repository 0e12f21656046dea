import type { TextPart } from './send-parts.ts'
import type { Topic, ToWorker } from './messages.ts'

/**
 * The time that a worker has for its answer, in ms. An explanation calls the functions of steps, up to one second. A
 * reload evaluates modules.
 */
const answerMs: Readonly<Record<Topic, number>> = {
  run: 1000,
  runs: 1000,
  names: 1000,
  aggregates: 1000,
  explain: 3000,
  reload: 30_000,
}

/**
 * The largest number of questions that a worker has not answered. A worker that hangs receives no more of them, so that
 * they do not collect in the memory of the primary.
 */
const maxUnanswered = 32

/** The largest number of characters of an answer. */
const maxCharacters = 16_777_216

/** A question that is not answered yet. `parts` is undefined after the time for the answer. */
interface Question {
  parts: string[] | undefined
  characters: number
  readonly timer: NodeJS.Timeout
  readonly resolve: (answer: string | undefined) => void
}

/** The questions of the primary to one worker. */
export class Questions {
  readonly #send: (message: Extract<ToWorker, { readonly kind: 'ask' }>) => void
  readonly #unanswered = new Map<number, Question>()
  #isOpen = false
  #count = 0

  /** @param send Sends a question to the worker. */
  constructor(send: (message: Extract<ToWorker, { readonly kind: 'ask' }>) => void) {
    this.#send = send
  }

  /** Allows questions. Call it when the worker listens: while it starts, it does not answer. */
  open(): void {
    this.#isOpen = true
  }

  /**
   * Asks the worker.
   *
   * @param text What the topic needs, such as an id.
   * @returns The answer; undefined if the worker gives none in time: within a second, 3 s for an explanation, or 30 s
   *   for a step of a reload.
   */
  ask(topic: Topic, text: string): Promise<string | undefined> {
    if (!this.#isOpen || this.#unanswered.size >= maxUnanswered) return Promise.resolve(undefined)
    return new Promise(resolve => {
      const id = this.#count++
      const timer = setTimeout(() => this.#giveUp(id), answerMs[topic])
      this.#unanswered.set(id, { parts: [], characters: 0, timer, resolve })
      this.#send({ kind: 'ask', id, topic, text })
    })
  }

  /** Adds a part of an answer. The last part ends the question. */
  answered(id: number, { text, isLast }: TextPart): void {
    const question = this.#unanswered.get(id)
    if (question === undefined) return
    question.characters += text.length
    if (question.characters > maxCharacters) this.#giveUp(id)
    question.parts?.push(text)
    if (isLast) this.#end(id, question.parts?.join(''))
  }

  /** Ends a question that the worker cannot answer. */
  notAnswered(id: number): void {
    this.#end(id, undefined)
  }

  /** Ends all questions. Call it when the worker has exited. */
  close(): void {
    this.#isOpen = false
    for (const id of this.#unanswered.keys()) this.#end(id, undefined)
  }

  /** Stops waiting for an answer. The question counts until the worker has answered it. */
  #giveUp(id: number): void {
    const question = this.#unanswered.get(id) as Question
    clearTimeout(question.timer)
    question.parts = undefined
    question.resolve(undefined)
  }

  #end(id: number, answer: string | undefined): void {
    const question = this.#unanswered.get(id)
    if (question === undefined) return
    clearTimeout(question.timer)
    this.#unanswered.delete(id)
    question.resolve(answer)
  }
}
