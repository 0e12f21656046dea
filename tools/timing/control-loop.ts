const periodMs = 5

/**
 * Measures the delay of timers in this process. The process does nothing else, so the delay shows how much CPU time
 * other processes use.
 */
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

  /** Ends the loop and returns the 99th percentile of the delay of its timers, in ms. */
  end(): number {
    clearTimeout(this.#timer)
    const sorted = this.#lateMs.sort((a, b) => a - b)
    return Math.max(0, sorted[Math.floor(0.99 * sorted.length)] ?? Infinity)
  }
}
