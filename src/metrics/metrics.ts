import { runPieces } from '../core/pieces.ts'
import type { Family } from './family.ts'
import type { LiveCounts } from './live-counts.ts'
import { SeriesTable } from './series-table.ts'

/** The CPU time of one piece of the reading, in ms. */
const pieceMs = 1

/** Something that knows values which are counted elsewhere. */
export interface Reader {
  /** Reads the values and keeps them. */
  read(): void
  /** Adds the values that were read last to families with `isRead`. */
  add(): void
}

/** The metrics of a runtime, or of runtimes that follow each other: one table of series per family. */
export class Metrics {
  /** The counts for a dashboard. Set them before the first call and the first run. @default not counted */
  live: LiveCounts | undefined
  readonly #tables = new Map<Family, SeriesTable>()
  readonly #readers = new Set<Reader>()

  /** Returns the table of a family. */
  table(family: Family): SeriesTable {
    let table = this.#tables.get(family)
    if (table === undefined) this.#tables.set(family, (table = new SeriesTable(family)))
    return table
  }

  /**
   * Adds values that are counted elsewhere each time that the metrics are collected.
   *
   * @param reader The source of the values, or a function that reads them and adds them in one step.
   * @returns A function that ends this.
   */
  onCollect(reader: Reader | (() => void)): () => void {
    const added: Reader = typeof reader === 'function' ? { read() {}, add: reader } : reader
    this.#readers.add(added)
    return () => this.#readers.delete(added)
  }

  /** Reads the values that are counted elsewhere, and returns all tables in the order in which `table` has created them. */
  collect(): readonly SeriesTable[] {
    for (const reader of this.#readers) reader.read()
    return this.#publish()
  }

  /**
   * Does the work of `collect` in pieces of about 1 ms, one per turn of the event loop. All values that are counted
   * elsewhere change in the last of these turns. A reader that is added meanwhile is read too.
   */
  collectInPieces(): Promise<readonly SeriesTable[]> {
    return runPieces(this.#pieces())
  }

  *#pieces(): Generator<void, readonly SeriesTable[], void> {
    let until = performance.now() + pieceMs
    for (const reader of this.#readers) {
      if (performance.now() >= until) {
        yield
        until = performance.now() + pieceMs
      }
      reader.read()
    }
    return this.#publish()
  }

  #publish(): readonly SeriesTable[] {
    for (const table of this.#tables.values()) if (table.family.isRead === true) table.reset()
    for (const reader of this.#readers) reader.add()
    return [...this.#tables.values()]
  }
}
