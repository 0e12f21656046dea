import type { ServerResponse } from 'node:http'
import { setImmediate as turn } from 'node:timers/promises'

/** The unsent bytes above which a reader gets no further events, and `hello` when it has caught up. */
export const maxUnsentBytes = 256 * 1024

/** The largest number of events that wait until `hello` is written. */
const maxWaiting = 8

/** The CPU time of one piece of `hello`, in ms. */
const pieceMs = 1

/**
 * The phase of a reader. `opening`: `hello` is being written, and events wait. `live`: it gets each event. `behind`: it
 * gets none until it has read what was sent, and then `hello`. `ended`: its connection has closed, or it got its last
 * event.
 */
type ReaderPhase = 'opening' | 'live' | 'behind' | 'ended'

/** One open dashboard: the response that its events are written to. */
export class Reader {
  readonly #response: ServerResponse
  readonly #helloText: () => Promise<Iterable<string>>
  #phase: ReaderPhase = 'behind'
  #waiting: string[] = []
  /** True if `hello` must be written again, because the names have changed or events were left out. */
  #isOutdated = false

  /** @param helloText - Returns the text of the event `hello` in pieces. */
  constructor(response: ServerResponse, helloText: () => Promise<Iterable<string>>) {
    this.#response = response
    this.#helloText = helloText
    response.on('close', () => (this.#phase = 'ended'))
    this.#open()
  }

  /** Sends an event, unless the reader is behind. */
  send(text: string): void {
    if (this.#phase === 'opening') {
      if (this.#waiting.length < maxWaiting) this.#waiting.push(text)
      else this.#isOutdated = true
    } else if (this.#phase === 'live') {
      this.#response.write(text)
      if (this.#response.writableLength > maxUnsentBytes) this.#open()
    }
  }

  /** Sends `hello`, and then the events after it. */
  reload(): void {
    if (this.#phase === 'opening') this.#isOutdated = true
    else if (this.#phase === 'live') this.#open()
  }

  /** Sends the last event. Within the text of `hello`, which it would be a part of, only the connection ends. */
  end(text: string): void {
    if (this.#phase === 'live') this.#response.end(text)
    else if (this.#phase !== 'ended') this.#response.end()
    this.#phase = 'ended'
  }

  #open(): void {
    this.#phase = 'behind'
    this.#writeHello().catch((error: unknown) => this.#response.destroy(error as Error))
  }

  async #writeHello(): Promise<void> {
    await this.#drained()
    do {
      if (this.#hasEnded()) return
      this.#phase = 'opening'
      const text = await this.#helloText()
      // It has the events so far.
      this.#isOutdated = false
      this.#waiting = []
      let until = performance.now() + pieceMs
      for (const piece of text) {
        if (this.#hasEnded()) return
        const isTaken = this.#response.write(piece)
        if (isTaken && performance.now() < until) continue
        await this.#drained()
        until = performance.now() + pieceMs
      }
    } while (this.#isOutdated)
    if (this.#hasEnded()) return
    this.#phase = 'live'
    for (const text of this.#waiting.splice(0)) this.send(text)
  }

  /** A method, because the phase changes while `hello` is written. */
  #hasEnded(): boolean {
    return this.#phase === 'ended'
  }

  /** Waits until the connection has taken everything or has closed, and at least one turn of the event loop. */
  async #drained(): Promise<void> {
    await turn()
    const response = this.#response
    if (!response.writableNeedDrain) return
    await new Promise<void>(resolve => {
      const done = () => {
        response.off('drain', done).off('close', done)
        resolve()
      }
      response.on('drain', done).on('close', done)
    })
  }
}
