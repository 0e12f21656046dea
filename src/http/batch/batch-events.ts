import type { BatchAnswer, WrittenResult } from '../../batch/result.ts'
import type { BatchRun } from '../../batch/start-batch.ts'
import { eventText } from '../stream/event-text.ts'
import { WrittenEvent, type WaitingEvent } from '../stream/waiting-event.ts'
import { headersOf } from './batch-end.ts'

/** Returns the first event of the stream of a batch: the ids of its calls, with those that each of them needs. */
export function planOf(run: BatchRun, id: string): WaitingEvent {
  const calls = run.plan.map(call => ({ id: call.id, needs: call.needs }))
  return new WrittenEvent('plan', JSON.stringify({ event: 'plan', run: id, deadline: run.deadline, calls }))
}

/** The result of a call, which has the same fields in the reply. It becomes text when it is sent. */
export class CallEvent implements WaitingEvent {
  readonly event = 'call'
  readonly #result: WrittenResult

  constructor(result: WrittenResult) {
    this.#result = result
  }

  text(): string {
    return `{"event":"call",${this.#result.text.slice(1)}`
  }
}

/** The last event: the plain reply. It becomes text when it is sent. */
export class EndOfBatch implements WaitingEvent {
  readonly event = 'reply'
  readonly #answer: BatchAnswer

  constructor(answer: BatchAnswer) {
    this.#answer = answer
  }

  text(): string {
    const { text } = this.#answer
    return eventText({ event: 'reply', status: 200, headers: headersOf(this.#answer), text }, 'full')
  }
}
