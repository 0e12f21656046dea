import type { Family } from './family.ts'
import { grown } from './grown.ts'

/** An example of an observation in a bucket: the trace in which it was made. */
export interface Exemplar {
  readonly traceId: string
  /** The observed value. */
  readonly value: number
  /** The time of the observation, in seconds since the epoch. */
  readonly time: number
}

/**
 * The series of one family. Each series has a slot, and its numbers stand next to each other in one typed array: the
 * value of a counter or a gauge, or the counts of the buckets of a histogram (not cumulative, the last one is `+Inf`),
 * and after them the sum of its observations.
 *
 * A slot is added when a declaration becomes known, or once at the first count of its series (`Slots`). After that,
 * counting allocates nothing.
 */
export class SeriesTable {
  readonly family: Family
  /** The number of numbers of one series. */
  readonly width: number
  /** The text of the labels of each series, by slot: `upstream="catfact-ninja",code="OK"`. */
  readonly labels: string[] = []
  /** The numbers of all series. A new slot may replace the array, so do not keep a reference to it. */
  values: Float64Array
  /** The last example of each bucket, by the index of its count in `values`; undefined before the first one. */
  exemplars: (Exemplar | undefined)[] | undefined
  readonly #slots = new Map<string, number>()
  readonly #buckets: readonly number[]
  /** The slots of the series that are rendered before their first count. */
  readonly #shown = new Set<number>()
  /** The numbers that sources which have ended have added to a counter with `isRead`. */
  #retired = new Float64Array(0)

  constructor(family: Family) {
    this.family = family
    this.#buckets = family.buckets ?? []
    this.width = family.type === 'histogram' ? this.#buckets.length + 2 : 1
    this.values = new Float64Array(this.width * 8)
  }

  /** Returns the slot of the series with these values of the labels, in the order of the family. Adds it if it is new. */
  slot(...labelValues: readonly string[]): number {
    const text = this.family.labels.map((name, at) => `${name}="${escaped(labelValues[at] ?? '')}"`).join(',')
    const known = this.#slots.get(text)
    if (known !== undefined) return known
    const slot = this.labels.push(text) - 1
    this.#slots.set(text, slot)
    this.values = grown(this.values, this.labels.length * this.width)
    return slot
  }

  /** Adds to a counter or a gauge. */
  add(slot: number, amount: number): void {
    this.values[slot] = (this.values[slot] as number) + amount
  }

  /** Sets a gauge, or a counter that is counted elsewhere. */
  set(slot: number, value: number): void {
    this.values[slot] = value
  }

  /**
   * Begins a collection of a family with `isRead`. A counter has what the sources that have ended have counted. A gauge
   * has no value (NaN) until a source adds one.
   */
  reset(): void {
    this.values.fill(this.family.type === 'gauge' ? Number.NaN : 0)
    this.values.set(this.#retired.subarray(0, this.values.length))
  }

  /** Adds the value of one source to a counter or a gauge with `isRead`. */
  addRead(slot: number, value: number): void {
    const before = this.values[slot] as number
    this.values[slot] = Number.isNaN(before) ? value : before + value
  }

  /** Keeps the last value of a counter whose source has ended, so that the counter does not fall. */
  retire(slot: number, value: number): void {
    this.#retired = grown(this.#retired, slot + 1)
    this.#retired[slot] = (this.#retired[slot] as number) + value
  }

  /** Adds an observation to a histogram. */
  observe(slot: number, value: number, traceId?: string): void {
    const { values, width } = this
    const first = slot * width
    const last = first + width - 1
    const index = first + this.#bucketOf(value)
    values[index] = (values[index] as number) + 1
    values[last] = (values[last] as number) + value
    if (traceId !== undefined)
      (this.exemplars ??= [])[index] = { traceId, value, time: (performance.timeOrigin + performance.now()) / 1000 }
  }

  /** Marks a series that is rendered as 0 before its first count, so that a rate has the first event. */
  show(slot: number): void {
    this.#shown.add(slot)
  }

  /**
   * Returns true if a series is rendered: a gauge that has a value, a series that has counted something, or one that
   * `show` has marked.
   */
  isUsed(slot: number): boolean {
    if (this.family.type === 'gauge') return this.family.isRead !== true || !Number.isNaN(this.values[slot])
    if (this.#shown.has(slot)) return true
    const first = slot * this.width
    for (let index = first; index < first + this.width; index++) if (this.values[index] !== 0) return true
    return false
  }

  #bucketOf(value: number): number {
    const bounds = this.#buckets
    let index = 0
    while (index < bounds.length && value > (bounds[index] as number)) index++
    return index
  }
}

/** Escapes the value of a label in the text format of Prometheus. */
function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')
}
