import type { StreamType } from '../request/media-types.ts'
import { writeEventId, type EventId } from './event-id.ts'

/** The number of an event in its stream, from 1; `end` for the last event. */
export type EventNumber = number | 'end'

/** The form in which a stream writes its events. */
export interface StreamFormat {
  /** The text in front of the first event. */
  readonly head: string
  /** The text that keeps a connection without events open; undefined for a form that has none. */
  readonly heartbeat: string | undefined
  /**
   * Returns the text of one event.
   *
   * @param line - The event as JSON, without a line end.
   */
  frame(event: string, at: EventNumber, line: string): string
}

/** Lines of JSON. */
const lines: StreamFormat = {
  head: '',
  heartbeat: undefined,
  frame: (_event, _at, line) => `${line}\n`,
}

/** The time after which a browser reconnects to a stream that was cut, in ms. */
const retryMs = 1000

/** Server-sent events. The id of an event has all that a reconnect needs. */
class ServerSentEvents implements StreamFormat {
  readonly head = `retry: ${retryMs}\n\n`
  readonly heartbeat = ':\n\n'
  readonly #run: string
  readonly #attempt: EventId['attempt']

  constructor({ run, attempt }: Pick<EventId, 'run' | 'attempt'>) {
    this.#run = run
    this.#attempt = attempt
  }

  frame(event: string, at: EventNumber, line: string): string {
    return `id: ${writeEventId(this.#run, this.#attempt, at)}\nevent: ${event}\ndata: ${line}\n\n`
  }
}

/** Returns the form of the events of a stream. Its run and its attempt are in the ids of server-sent events. */
export function streamFormat(type: StreamType, id: Pick<EventId, 'run' | 'attempt'>): StreamFormat {
  return type === 'sse' ? new ServerSentEvents(id) : lines
}
