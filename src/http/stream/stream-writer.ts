import type { ServerResponse } from 'node:http'
import type { EventNumber, StreamFormat } from './stream-format.ts'
import type { StreamLimits } from './stream-options.ts'
import { TextSlices } from './text-slices.ts'
import type { WaitingEvent } from './waiting-event.ts'

/** The characters above which a text is written as bytes. */
const longText = 4096

/** The bytes that a waiting event counts for. Its text is not made yet. */
const bytesOfWaiting = 128

/**
 * Writes the events of one stream to its response. One write is in progress at a time, and events wait until the
 * connection has taken it, so the text in memory never exceeds `maxBytes` by more than one event. The events of one
 * turn of the event loop are one write.
 */
export class StreamWriter {
  readonly #response: ServerResponse
  readonly #format: StreamFormat
  readonly #limits: StreamLimits
  /** Called when the reader has taken all events. */
  readonly #onDrained: () => void
  #waiting: WaitingEvent[] = []
  /** The last event, until it becomes text. */
  #last: WaitingEvent | undefined
  /** The text that is made and not written yet. */
  #rest: TextSlices | undefined
  /** True if that text ends with the last event. */
  #endsWithRest = false
  /** The number of the last event that became text. */
  #number = 0
  /** The bytes of the write in progress; 0 while nothing is written. */
  #unsent = 0
  /** The time of the start or the end of the last write, in ms. */
  #changedAt = 0
  #isArmed = false
  /** True from the last event on, and after the connection has closed. */
  #isEnding = false

  constructor(response: ServerResponse, format: StreamFormat, limits: StreamLimits, onDrained: () => void) {
    this.#response = response
    this.#format = format
    this.#limits = limits
    this.#onDrained = onDrained
  }

  /** Sends the first event, in one packet with the head of the response. */
  start(first: WaitingEvent): void {
    this.#write(this.#format.head + this.#made(first, ++this.#number))
  }

  /** Sends an event at the end of this turn of the event loop, or when the reader has taken the events before it. */
  send(event: WaitingEvent): void {
    if (this.#isEnding) return
    this.#waiting.push(event)
    if (this.#isArmed || this.#unsent > 0) return
    this.#isArmed = true
    setImmediate(flushArmed, this)
  }

  /** Sends an event that a slow reader may miss. It is dropped while more than half of `maxBytes` waits. */
  sendUnlessBehind(event: WaitingEvent): void {
    if (this.#isBehind()) {
      if (this.#unsent > 0) return
      this.#flush()
    }
    this.send(event)
  }

  /** True if the reader has taken all events. */
  get isDrained(): boolean {
    return this.#unsent === 0 && this.#waiting.length === 0
  }

  /** Sends the last event after those that wait, and ends the response. Later events are ignored. */
  end(last: WaitingEvent): void {
    if (this.#isEnding) return
    this.#isEnding = true
    this.#last = last
    if (this.#unsent === 0) this.#flush()
  }

  /** Drops the events that wait, because the connection has closed. */
  close(): void {
    this.#isEnding = true
    this.#waiting = []
    this.#last = this.#rest = undefined
    this.#unsent = 0
  }

  /**
   * Returns whether the reader has taken nothing for `readTimeout`. Sends a heartbeat, if the form has one, after
   * `heartbeat` without a write.
   *
   * @param now - The time in ms.
   */
  isStuck(now: number): boolean {
    const idle = now - this.#changedAt
    if (this.#unsent > 0) return idle >= this.#limits.readTimeout
    const { heartbeat } = this.#format
    if (!this.#isEnding && heartbeat !== undefined && idle >= this.#limits.heartbeat) this.#write(heartbeat)
    return false
  }

  /** Sends the events of this turn of the event loop. */
  flushTurn(): void {
    this.#isArmed = false
    if (this.#unsent === 0) this.#flush()
  }

  #isBehind(): boolean {
    return this.#unsent + this.#waiting.length * bytesOfWaiting > this.#limits.maxBytes / 2
  }

  #made(event: WaitingEvent, at: EventNumber): string {
    const line = event.text()
    return this.#format.frame(event.event, at, line)
  }

  /** Makes the text of the events that wait, up to `maxBytes`, and writes it. */
  #flush(): void {
    const waiting = this.#waiting
    let text = ''
    let bytes = 0
    let made = 0
    while (made < waiting.length && bytes < this.#limits.maxBytes) {
      const frame = this.#made(waiting[made++] as WaitingEvent, ++this.#number)
      bytes += Buffer.byteLength(frame)
      text += frame
    }
    this.#waiting = made === waiting.length ? [] : waiting.slice(made)
    if (this.#waiting.length === 0 && this.#last !== undefined) {
      text += this.#made(this.#last, 'end')
      this.#last = undefined
      this.#endsWithRest = true
    }
    if (text !== '') this.#writeRest(new TextSlices(text))
  }

  /** Writes a part of a text, and keeps the rest until the reader has taken the part. */
  #writeRest(rest: TextSlices): void {
    const part = rest.next()
    this.#rest = rest.isEmpty ? undefined : rest
    if (this.#rest === undefined && this.#endsWithRest) this.#end(part)
    else this.#write(part)
  }

  #end(text: string): void {
    this.#response.end(this.#started(text))
  }

  #write(text: string): void {
    this.#response.write(this.#started(text), this.#onWritten)
  }

  /**
   * Notes that a write starts, and returns its bytes. For a text that the connection cannot take at once, Node would
   * allocate three bytes per character.
   */
  #started(text: string): string | Buffer {
    this.#changedAt = performance.now()
    const bytes = text.length > longText ? Buffer.from(text) : text
    this.#unsent = Buffer.byteLength(bytes)
    return bytes
  }

  readonly #onWritten = (error?: Error | null): void => {
    // The listener of `close` ends the stream.
    if (error) return
    this.#unsent = 0
    this.#changedAt = performance.now()
    if (this.#rest !== undefined) this.#writeRest(this.#rest)
    else this.#flush()
    if (this.#unsent === 0 && !this.#isEnding) this.#onDrained()
  }
}

/** One function for all writers. */
function flushArmed(writer: StreamWriter): void {
  writer.flushTurn()
}
