/** The request for the series of one worker. At most one request is due. */
export class SeriesRequest {
  readonly #send: (id: number) => void
  #isOpen = false
  #due: PromiseWithResolvers<boolean> | undefined
  #id = 0

  /** @param send Sends a request to the worker. */
  constructor(send: (id: number) => void) {
    this.#send = send
  }

  /** Allows requests. Call it when the worker listens: while it starts, it does not answer. */
  open(): void {
    this.#isOpen = true
  }

  /**
   * Asks the worker. Resolves with true when all series have arrived, and with false if the worker does not listen yet
   * or has exited. While an answer is due, calls get the same promise.
   */
  async ask(): Promise<boolean> {
    if (!this.#isOpen) return false
    if (this.#due === undefined) {
      this.#due = Promise.withResolvers()
      this.#send(++this.#id)
    }
    return this.#due.promise
  }

  /** Ends the request with this id: all series have arrived. */
  answered(id: number): void {
    if (id === this.#id) this.#end(true)
  }

  /** Ends all requests. Call it when the worker has exited. */
  close(): void {
    this.#isOpen = false
    this.#end(false)
  }

  #end(isAnswered: boolean): void {
    this.#due?.resolve(isAnswered)
    this.#due = undefined
  }
}
