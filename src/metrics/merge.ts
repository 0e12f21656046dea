import type { SeriesChunk } from './chunks.ts'
import type { Family } from './family.ts'
import { grown } from './grown.ts'
import { MergedFamily, type KnownFamily } from './merged-family.ts'
import type { Series } from './series.ts'

/** The number of numbers after which a piece ends. */
const numbersPerPiece = 20_000

/**
 * The metrics of a service of several processes. A counter is the sum over all processes, including those that have
 * exited. A gauge is the sum over the processes that take part in a scrape. Families with `merge: 'max'` have the
 * largest value instead of the sum.
 */
export class MergedMetrics {
  readonly #families = new Map<string, MergedFamily>()
  readonly #processes = new Set<ReceivedMetrics>()

  /** Adds a process. */
  open(): ReceivedMetrics {
    const received = new ReceivedMetrics(this.#families)
    this.#processes.add(received)
    return received
  }

  /** Adds the last counters of a process that has exited to the sums, and drops the process. */
  retire(received: ReceivedMetrics): void {
    if (!this.#processes.delete(received)) return
    for (const known of received.families.values()) known.merged.retire(known)
  }

  /**
   * Adds up all processes.
   *
   * @param present The processes whose gauges are part of the result. The counters of the others are as last received.
   * @returns The families in the order of their first chunk. Their values are replaced by the next sum.
   */
  *sum(present: ReadonlySet<ReceivedMetrics>): Generator<void, readonly Series[], void> {
    let left = numbersPerPiece
    for (const family of this.#families.values()) {
      // A family is summed in one piece: between two pieces a process may retire.
      family.reset()
      for (const received of this.#processes) {
        const known = received.families.get(family.family.name)
        if (known === undefined || (family.family.type === 'gauge' && !present.has(received))) continue
        family.add(known)
        left -= known.slots.length * family.width
      }
      if (left > 0) continue
      left = numbersPerPiece
      yield
    }
    return [...this.#families.values()]
  }
}

/** The metrics of one process, as last received. */
export class ReceivedMetrics {
  readonly families = new Map<string, KnownFamily>()
  readonly #merged: Map<string, MergedFamily>

  /** @param merged The families of all processes, by name. */
  constructor(merged: Map<string, MergedFamily>) {
    this.#merged = merged
  }

  /** Stores the values of a chunk. Ignores a chunk that does not follow the chunks before it. */
  apply({ family, from, labels, values, exemplars }: SeriesChunk): void {
    const known = this.#familyOf(family)
    const { merged, slots } = known
    const { width } = merged
    const end = from + values.length / width
    const total = slots.length + labels.length
    if (!merged.fits(family) || !Number.isInteger(end) || end > total || (labels.length > 0 && end !== total)) return
    for (const text of labels) slots.push(merged.slotOf(text))
    known.values = grown(known.values, total * width)
    const isGauge = family.type === 'gauge'
    for (let at = 0; at < values.length; at++) {
      const value = values[at] ?? Number.NaN
      const index = from * width + at
      // A process that ends closes the parts that it counts, maybe before its last snapshot. So a counter keeps its
      // largest value.
      if (isGauge || value > (known.values[index] as number)) known.values[index] = value
    }
    for (const { at, ...exemplar } of exemplars) {
      const slot = slots[from + Math.floor(at / width)]
      if (slot !== undefined) merged.addExemplar(slot * width + (at % width), exemplar)
    }
  }

  #familyOf(family: Family): KnownFamily {
    const known = this.families.get(family.name)
    if (known !== undefined) return known
    let merged = this.#merged.get(family.name)
    if (merged === undefined) this.#merged.set(family.name, (merged = new MergedFamily(family)))
    const own = { merged, slots: [], values: new Float64Array(merged.width * 8) }
    this.families.set(family.name, own)
    return own
  }
}
