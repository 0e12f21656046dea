import type { SeriesTable } from './series-table.ts'

/**
 * The slots of series that differ in one label only, by the index of its value in a fixed list. A slot is added at the
 * first count of its series, so that a table has no series that never counts.
 */
export class Slots {
  readonly #table: SeriesTable
  readonly #values: readonly string[]
  readonly #labelsOf: (value: string) => readonly string[]
  /** The slot of each value; -1 before the first count. */
  readonly #slots: Int32Array

  /** @param labelsOf Returns the values of all labels for a value of the label that differs. */
  constructor(table: SeriesTable, values: readonly string[], labelsOf: (value: string) => readonly string[]) {
    this.#table = table
    this.#values = values
    this.#labelsOf = labelsOf
    this.#slots = new Int32Array(values.length).fill(-1)
  }

  /** Returns the slot of the value at an index. */
  at(index: number): number {
    const slot = this.#slots[index] as number
    return slot === -1 ? this.#add(index) : slot
  }

  #add(index: number): number {
    const slot = this.#table.slot(...this.#labelsOf(this.#values[index] as string))
    this.#slots[index] = slot
    return slot
  }
}
