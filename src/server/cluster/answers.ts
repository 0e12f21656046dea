import type { FromWorker, Topic, ToWorker } from './messages.ts'
import { sendParts } from './send-parts.ts'

/** Returns the answer to a question of one topic, as text. */
export type Answer = (text: string) => string | Promise<string>

/** The answers of a worker to the questions of the primary. */
export class Answers {
  readonly #send: (message: FromWorker) => void
  readonly #byTopic = new Map<Topic, Answer>()

  /** @param send Sends a message to the primary. */
  constructor(send: (message: FromWorker) => void) {
    this.#send = send
  }

  /** Sets the answer to a topic. Set it before the worker listens. */
  set(topic: Topic, answer: Answer): void {
    this.#byTopic.set(topic, answer)
  }

  /** Answers a question, in parts. A topic without an answer, and an answer that fails, are not answered. */
  async handle({ id, topic, text }: Extract<ToWorker, { readonly kind: 'ask' }>): Promise<void> {
    try {
      const answer = this.#byTopic.get(topic)
      if (answer === undefined) return this.#send({ kind: 'notAnswered', id })
      await sendParts(await answer(text), part => this.#send({ kind: 'answered', id, ...part }))
    } catch {
      this.#send({ kind: 'notAnswered', id })
    }
  }
}
