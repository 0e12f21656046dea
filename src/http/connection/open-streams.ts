import type { Problem } from '../../errors.ts'

/** A stream whose last event has not been sent. */
export interface OpenStream {
  /** Ends the stream with a problem, and cancels its run. */
  end(problem: Problem): void
}

/** The open streams of one app. */
export class OpenStreams {
  readonly #streams = new Set<OpenStream>()

  /** The number of open streams. */
  get size(): number {
    return this.#streams.size
  }

  /** Adds a stream when it opens. */
  add(stream: OpenStream): void {
    this.#streams.add(stream)
  }

  /** Removes a stream when it has ended. */
  delete(stream: OpenStream): void {
    this.#streams.delete(stream)
  }

  /** Ends all streams with a problem. A stream may remove itself while it ends. */
  endAll(problem: Problem): void {
    for (const stream of this.#streams) stream.end(problem)
  }
}
