/**
 * Calls a function at each multiple of a time, by the clock of the machine. Processes of one machine tick together, so
 * that the samples of workers arrive between two ticks of the primary, which is late by `offset`.
 */
export class Ticks {
  readonly #onTick: () => void
  readonly #offset: number
  #every: number | undefined
  #timer: NodeJS.Timeout | undefined

  /** @param offset - The time from a multiple to its tick, in ms. @default 0 */
  constructor(onTick: () => void, offset = 0) {
    this.#onTick = onTick
    this.#offset = offset
  }

  /** The time between two ticks, in ms; `undefined` while it does not tick. */
  get every(): number | undefined {
    return this.#every
  }

  /** Ticks with this time between two ticks from now on, in ms; `undefined` stops it. */
  set every(every: number | undefined) {
    this.#every = every
    this.#next()
  }

  #next(): void {
    clearTimeout(this.#timer)
    const every = this.#every
    if (every === undefined) return
    const wait = every - ((Date.now() - this.#offset) % every)
    // A timer may ring up to 1 ms early, which would be a second tick for the same multiple.
    this.#timer = setTimeout(() => {
      this.#next()
      this.#onTick()
    }, wait + 1).unref()
  }
}
