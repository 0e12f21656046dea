import { randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import type { Bye, DashboardEvent } from '../../dashboard/protocol.ts'
import { everyMs, type LiveEvent, type LiveOverview } from '../../overview/live-overview.ts'
import { helloText } from './hello-text.ts'
import { Reader } from './reader.ts'

/** The largest number of open dashboards. The listener has connections left for other requests. */
export const maxReaders = 8

/** The shortest time between two readers that are ended because another one was refused, in ms. */
const checkEveryMs = 15_000

/** The open dashboards of a service. It listens to the overview while a dashboard is open. */
export class Readers {
  readonly #live: LiveOverview
  readonly #version: string
  readonly #boot = randomUUID()
  readonly #readers = new Set<Reader>()
  #stop: (() => void) | undefined
  #number = 0
  #checkedAt = -Infinity

  /** @param version - The version of the service. */
  constructor(live: LiveOverview, version: string) {
    this.#live = live
    this.#version = version
  }

  /** True if no further reader is accepted. */
  get isFull(): boolean {
    return this.#readers.size >= maxReaders
  }

  /** Sends the events to a response whose head is sent, until it closes. */
  add(response: ServerResponse): void {
    const reader = new Reader(response, () => this.#hello())
    this.#readers.add(reader)
    this.#stop ??= this.#live.listen(event => this.#send(event))
    response.on('close', () => {
      this.#readers.delete(reader)
      if (this.#readers.size > 0) return
      this.#stop?.()
      this.#stop = undefined
    })
  }

  /**
   * Ends the oldest reader, because another one was refused. A page that is open connects again within a second or so,
   * and usually has its place again. A page whose machine has vanished does not: its connection accepts events until
   * the kernel gives it up, which takes a quarter of an hour.
   */
  checkOldest(): void {
    const now = performance.now()
    const [oldest] = this.#readers
    if (oldest === undefined || now - this.#checkedAt < checkEveryMs) return
    this.#checkedAt = now
    // It is checked last the next time, if its connection is still open.
    this.#readers.delete(oldest)
    this.#readers.add(oldest)
    oldest.end(byeText('full'))
  }

  /** Ends all readers. */
  close(): void {
    for (const reader of this.#readers) reader.end(byeText('draining'))
  }

  #send(event: LiveEvent): void {
    if (event.type === 'reloaded') {
      for (const reader of this.#readers) reader.reload()
    } else {
      const text = `${this.#head(event.type)}${JSON.stringify(event)}\n\n`
      for (const reader of this.#readers) reader.send(text)
    }
  }

  async #hello(): Promise<Iterable<string>> {
    const content = await this.#live.hello()
    return eventText(
      this.#head('hello'),
      helloText({
        type: 'hello',
        boot: this.#boot,
        version: this.#version,
        at: Date.now(),
        every: everyMs.watched,
        keptRuns: this.#live.keepsRuns,
        ...content,
      }),
    )
  }

  #head(type: DashboardEvent['type']): string {
    return `event: ${type}\nid: ${this.#boot}.${++this.#number}\ndata: `
  }
}

function* eventText(head: string, data: Iterable<string>): Generator<string, void, void> {
  yield head
  yield* data
  yield '\n\n'
}

/** Returns the text of the last event. */
export function byeText(reason: Bye['reason']): string {
  return `event: bye\ndata: ${JSON.stringify({ type: 'bye', reason } satisfies Bye)}\n\n`
}
