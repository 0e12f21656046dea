import type { Socket } from 'node:net'
import type { Problem } from '../../errors.ts'

/** A stream whose last event has not been sent. */
export interface OpenStream {
  /** The connection of the stream. */
  readonly socket: Socket
  /** Ends the stream with a problem, and cancels its run. */
  end(problem: Problem): void
  /** Cuts the stream if its caller does not read, and keeps an idle connection open. `now` is the time in ms. */
  check(now: number): void
}

/** The largest time between two checks of the open streams, in ms. */
const checkEvery = 1000

/** The open streams of one app. */
export class OpenStreams {
  readonly #closesConnections: () => boolean
  readonly #streams = new Set<OpenStream>()
  readonly #checkMs: number
  /** One timer for all streams, so that a single stream has none. */
  #timer: NodeJS.Timeout | undefined

  /**
   * @param readTimeout - The time after which a stream is cut whose caller does not read, in ms.
   * @param closesConnections - Returns whether a connection closes after its response, because the app closes or has
   *   too many connections.
   */
  constructor(readTimeout: number, closesConnections: () => boolean) {
    this.#checkMs = Math.min(readTimeout, checkEvery)
    this.#closesConnections = closesConnections
  }

  /** True if a connection closes after its stream. It may become true while a stream is open. */
  get closesConnections(): boolean {
    return this.#closesConnections()
  }

  /** The number of open streams. */
  get size(): number {
    return this.#streams.size
  }

  /** Adds a stream when it opens. */
  add(stream: OpenStream): void {
    this.#streams.add(stream)
    this.#timer ??= setInterval(() => this.#check(), this.#checkMs).unref()
  }

  /** Removes a stream when it has ended, and returns whether it was open. */
  delete(stream: OpenStream): boolean {
    const wasOpen = this.#streams.delete(stream)
    if (this.#streams.size === 0) {
      clearInterval(this.#timer)
      this.#timer = undefined
    }
    return wasOpen
  }

  /**
   * Ends all streams with a problem. A stream may remove itself while it ends.
   *
   * @returns The connections of the streams.
   */
  endAll(problem: Problem): ReadonlySet<Socket> {
    const sockets = new Set<Socket>()
    for (const stream of this.#streams) {
      sockets.add(stream.socket)
      stream.end(problem)
    }
    return sockets
  }

  #check(): void {
    const now = performance.now()
    for (const stream of this.#streams) stream.check(now)
  }
}
