import type { SourcesLevel } from '../../fanout/sources-level.ts'
import type { StreamEvent } from '../../fanout/stream-event.ts'
import { eventText } from './event-text.ts'

/** An event that waits for its reader. It becomes text when it is sent, so that a slow reader costs no text. */
export interface WaitingEvent {
  /** The name of the event. It is read after `text`, since a reply that cannot be written becomes a problem. */
  readonly event: string
  /** Returns the event as JSON, without a line end. It is called once. */
  text(): string
}

/** An event with the part of it that callers see. */
export class ShownEvent implements WaitingEvent {
  readonly event: string
  readonly #value: StreamEvent
  readonly #level: SourcesLevel

  constructor(value: StreamEvent, level: SourcesLevel) {
    this.event = value.event
    this.#value = value
    this.#level = level
  }

  text(): string {
    return eventText(this.#value, this.#level)
  }
}

/** An event that is text already. */
export class WrittenEvent implements WaitingEvent {
  readonly event: string
  readonly #text: string

  constructor(event: string, text: string) {
    this.event = event
    this.#text = text
  }

  text(): string {
    return this.#text
  }
}
