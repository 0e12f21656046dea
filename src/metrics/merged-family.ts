import type { Family } from './family.ts'
import { grown } from './grown.ts'
import type { Series } from './series.ts'
import type { Exemplar } from './series-table.ts'

/** The series of one family of a process, as last received. */
export interface KnownFamily {
  readonly merged: MergedFamily
  /** The slot in the merged family of each series, in the order in which the series were sent first. */
  readonly slots: number[]
  values: Float64Array
}

/** The sum of one family over all processes. */
export class MergedFamily implements Series {
  readonly family: Family
  readonly width: number
  readonly labels: string[] = []
  values: Float64Array
  exemplars: (Exemplar | undefined)[] | undefined
  readonly #slots = new Map<string, number>()
  /** The numbers of the processes that have exited. */
  #retired: Float64Array
  /** By slot: 1 for a series that a process that has exited has counted. */
  #wasCounted = new Uint8Array(8)
  /** By slot: 1 for a series of the present sum. */
  #isPresent = new Uint8Array(8)

  constructor(family: Family) {
    this.family = family
    this.width = family.type === 'histogram' ? (family.buckets ?? []).length + 2 : 1
    this.values = new Float64Array(this.width * 8)
    this.#retired = new Float64Array(this.width * 8)
  }

  /** Returns true if a process has declared the family in the same way. */
  fits({ type, buckets }: Family): boolean {
    return type === this.family.type && (type !== 'histogram' || String(buckets) === String(this.family.buckets))
  }

  slotOf(labels: string): number {
    const known = this.#slots.get(labels)
    if (known !== undefined) return known
    const slot = this.labels.push(labels) - 1
    this.#slots.set(labels, slot)
    const count = slot + 1
    this.values = grown(this.values, count * this.width)
    this.#retired = grown(this.#retired, count * this.width)
    this.#wasCounted = grown(this.#wasCounted, count)
    this.#isPresent = grown(this.#isPresent, count)
    return slot
  }

  addExemplar(index: number, exemplar: Exemplar): void {
    const exemplars = (this.exemplars ??= [])
    if (exemplar.time >= (exemplars[index]?.time ?? 0)) exemplars[index] = exemplar
  }

  isUsed(slot: number): boolean {
    return this.#isPresent[slot] === 1
  }

  /** Sets the values to those of the processes that have exited. */
  reset(): void {
    this.values.set(this.#retired)
    this.#isPresent.set(this.#wasCounted)
  }

  add(known: KnownFamily): void {
    this.#addTo(this.values, this.#isPresent, known)
  }

  /** Adds the counters of a process that has exited. Its gauges are gone. */
  retire(known: KnownFamily): void {
    if (this.family.type !== 'gauge') this.#addTo(this.#retired, this.#wasCounted, known)
  }

  #addTo(sums: Float64Array, isPresent: Uint8Array, { slots, values }: KnownFamily): void {
    const { width } = this
    const isMax = this.family.merge === 'max'
    for (const [at, slot] of slots.entries()) {
      const isFirst = isPresent[slot] === 0
      for (let number = 0; number < width; number++) {
        const value = values[at * width + number] as number
        if (Number.isNaN(value)) continue
        const index = slot * width + number
        const sum = sums[index] as number
        sums[index] = isMax ? (isFirst ? value : Math.max(sum, value)) : sum + value
        isPresent[slot] = 1
      }
    }
  }
}
