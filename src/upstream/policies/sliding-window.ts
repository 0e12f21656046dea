/** The number of parts of a window. The oldest part leaves the window as a whole. */
const parts = 10

/**
 * Two counts over a window of time. The window is up to a tenth longer than `windowMs`, so it never misses a count. A
 * ring has ten parts and one that is being filled. A count is one addition, and no timer runs.
 */
export class SlidingWindow {
  readonly #partMs: number
  readonly #now: () => number
  readonly #first: number[] = Array.from({ length: parts + 1 }, () => 0)
  readonly #second: number[] = Array.from({ length: parts + 1 }, () => 0)
  #part: number
  #at = 0
  #firstSum = 0
  #secondSum = 0

  /** @param now A clock in ms that never goes back. */
  constructor(windowMs: number, now: () => number) {
    this.#partMs = windowMs / parts
    this.#now = now
    this.#part = this.#partNow()
  }

  add(first: number, second: number): void {
    this.#turn()
    this.#first[this.#at] = (this.#first[this.#at] as number) + first
    this.#second[this.#at] = (this.#second[this.#at] as number) + second
    this.#firstSum += first
    this.#secondSum += second
  }

  get first(): number {
    this.#turn()
    return this.#firstSum
  }

  get second(): number {
    this.#turn()
    return this.#secondSum
  }

  clear(): void {
    this.#first.fill(0)
    this.#second.fill(0)
    this.#firstSum = this.#secondSum = 0
  }

  #partNow(): number {
    return Math.floor(this.#now() / this.#partMs)
  }

  /** Removes the parts that have left the window. */
  #turn(): void {
    const part = this.#partNow()
    if (part === this.#part) return
    if (part - this.#part > parts) this.clear()
    else {
      for (; this.#part < part; this.#part++) {
        this.#at = (this.#at + 1) % (parts + 1)
        this.#firstSum -= this.#first[this.#at] as number
        this.#secondSum -= this.#second[this.#at] as number
        this.#first[this.#at] = this.#second[this.#at] = 0
      }
    }
    this.#part = part
  }
}
