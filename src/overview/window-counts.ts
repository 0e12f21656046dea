import { grown } from '../metrics/grown.ts'
import type { IndexedCounts } from './process-sample.ts'

interface Entry {
  readonly at: number
  readonly counts: IndexedCounts
}

/** Counts by a small index over the last part of the time. */
export class WindowCounts {
  readonly #length: number
  readonly #entries: Entry[] = []
  /** The sums over the window, by index. */
  sums = new Float64Array(4)
  /** The sum of all counts over the window. */
  total = 0

  /** @param length - The length of the window, in ms. */
  constructor(length: number) {
    this.#length = length
  }

  /** Returns the sum of an index over the window. */
  of(index: number): number {
    return this.sums[index] ?? 0
  }

  /** Moves the window to a moment, and adds the counts of that moment. */
  add(at: number, counts: IndexedCounts): void {
    // The counts of a moment cover the time before it, so those of the first moment of the window are outside of it.
    while (this.#entries[0] !== undefined && this.#entries[0].at <= at - this.#length)
      this.#change((this.#entries.shift() as Entry).counts, -1)
    if (counts.length === 0) return
    this.#entries.push({ at, counts })
    this.#change(counts, 1)
  }

  #change(counts: IndexedCounts, factor: 1 | -1): void {
    for (let at = 0; at < counts.length; at += 2) {
      const index = counts[at] as number
      const count = (counts[at + 1] as number) * factor
      if (index >= this.sums.length) this.sums = grown(this.sums, index + 1)
      this.sums[index] = (this.sums[index] as number) + count
      this.total += count
    }
  }
}

/** Counts by a text over the last part of the time. */
export class WindowNames {
  readonly #counts: WindowCounts
  readonly #indexes = new Map<string, number>()

  /** @param length - The length of the window, in ms. */
  constructor(length: number) {
    this.#counts = new WindowCounts(length)
  }

  add(at: number, counts: readonly (readonly [name: string, count: number])[]): void {
    this.#counts.add(
      at,
      counts.flatMap(([name, count]) => [this.#indexOf(name), count]),
    )
  }

  /** The name with the highest count; `null` without one. Of equal counts the first name is taken. */
  get top(): string | null {
    let top: string | null = null
    let most = 0
    for (const [name, index] of this.#indexes)
      if (this.#counts.of(index) > most) {
        top = name
        most = this.#counts.of(index)
      }
    return top
  }

  #indexOf(name: string): number {
    let index = this.#indexes.get(name)
    if (index === undefined) this.#indexes.set(name, (index = this.#indexes.size))
    return index
  }
}
