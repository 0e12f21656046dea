import type { RunRow } from '../../waterfall/kept-run.ts'
import type { Runs } from '../protocol.ts'

/** The largest number of rows that the page keeps. */
export const maxRows = 200

/** The kept runs that the page has received, newest first. */
export class RunRows {
  readonly rows: RunRow[] = []
  /** The number of runs since the page was opened that the service left out of its events. */
  readonly more = { complete: 0, partial: 0, failed: 0, cancelled: 0 }

  /** Takes the rows of a first event. After a lost connection, rows that are still shown stay. */
  merge(oldestFirst: readonly RunRow[]): void {
    const known = new Set(this.rows.map(({ id }) => id))
    this.#add(oldestFirst.filter(({ id }) => !known.has(id)))
  }

  add({ rows, more }: Runs): void {
    this.more.complete += more.complete
    this.more.partial += more.partial
    this.more.failed += more.failed
    this.more.cancelled += more.cancelled
    this.#add(rows)
  }

  clear(): void {
    this.rows.length = 0
    this.more.complete = this.more.partial = this.more.failed = this.more.cancelled = 0
  }

  // The rows of one event come by importance. ISO dates have the order of their texts.
  #add(added: readonly RunRow[]): void {
    if (added.length === 0) return
    const newestFirst = added.toSorted((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0))
    this.rows.unshift(...newestFirst)
    if (this.rows.length > maxRows) this.rows.length = maxRows
  }
}
