const periodMs = 5

/** Measures how late timers ring in this process, which does nothing else: what others take of the machine. */
export class ControlLoop {
  readonly #lateMs: number[] = []
  #timer: NodeJS.Timeout

  constructor() {
    this.#timer = this.#arm()
  }

  #arm(): NodeJS.Timeout {
    const due = performance.now() + periodMs
    return setTimeout(() => {
      this.#lateMs.push(performance.now() - due)
      this.#timer = this.#arm()
    }, periodMs)
  }

  /** Ends the loop, and returns how late 99 of 100 of its timers rang at most, in ms. */
  end(): number {
    clearTimeout(this.#timer)
    const sorted = this.#lateMs.sort((a, b) => a - b)
    return Math.max(0, sorted[Math.floor(0.99 * sorted.length)] ?? Infinity)
  }
}
