import type { Family } from './family.ts'
import { SeriesTable } from './series-table.ts'

/** The metrics of one runtime: one table of series per family. */
export class Metrics {
  readonly #tables = new Map<Family, SeriesTable>()
  readonly #readers = new Set<() => void>()

  /** Returns the table of a family. */
  table(family: Family): SeriesTable {
    let table = this.#tables.get(family)
    if (table === undefined) this.#tables.set(family, (table = new SeriesTable(family)))
    return table
  }

  /**
   * Calls `read` each time that the metrics are collected. It adds values that are counted elsewhere to families with
   * `isRead`.
   *
   * @returns A function that ends this.
   */
  onCollect(read: () => void): () => void {
    this.#readers.add(read)
    return () => this.#readers.delete(read)
  }

  /** Reads the values that are counted elsewhere, and returns all tables in the order in which `table` has created them. */
  collect(): readonly SeriesTable[] {
    for (const { family, values } of this.#tables.values()) if (family.isRead === true) values.fill(0)
    for (const read of this.#readers) read()
    return [...this.#tables.values()]
  }
}
