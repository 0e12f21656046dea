import type { RunRow } from '../../waterfall/kept-run.ts'
import { noFilters, passes, type RunFilters } from './filters.ts'

/** The largest number of rows that are shown. */
export const mostShown = 200

/**
 * The runs of the list: those of the live events that pass the filters, newest first. Pausing stops the list, and the
 * live runs are collected behind it.
 */
export class ShownRuns {
  /** Changes when other rows are shown. */
  revision = 0
  #filters: RunFilters = noFilters
  #live: RunRow[] = []
  #stopped: { readonly rows: readonly RunRow[]; readonly isOlder: boolean } | undefined
  #missed = 0
  /** The newest row that was taken. */
  #newest: RunRow | undefined

  get filters(): RunFilters {
    return this.#filters
  }

  get rows(): readonly RunRow[] {
    return this.#stopped?.rows ?? this.#live
  }

  /** `live`: new runs appear. `paused`: the list stands still. `older`: the list has runs of the past. */
  get mode(): 'live' | 'paused' | 'older' {
    return this.#stopped === undefined ? 'live' : this.#stopped.isOlder ? 'older' : 'paused'
  }

  /** The number of runs that have come since the list stands still. */
  get missed(): number {
    return this.#missed
  }

  /** Takes the rows that are new since the last call. The rows are newest first. */
  take(rows: readonly RunRow[]): void {
    const [newest] = rows
    if (newest === this.#newest) return
    const known = rows.indexOf(this.#newest as RunRow)
    this.#newest = newest
    this.#add(known === -1 ? rows : rows.slice(0, known))
  }

  /** Adds kept runs that the service has sent on request. */
  fill(rows: readonly RunRow[]): void {
    this.#add(rows)
  }

  /** Removes all rows: they belong to a service that has ended. The list is live afterwards. */
  clear(): void {
    this.#live = []
    this.resume()
  }

  /** Sets the filters and shows the runs that pass them; the list is live afterwards. */
  filter(filters: RunFilters, rows: readonly RunRow[]): void {
    this.#filters = filters
    this.#stopped = undefined
    this.#missed = 0
    const before = this.#live
    this.#live = []
    this.#newest = rows[0]
    this.#add([...before, ...rows])
    this.revision++
  }

  pause(): void {
    this.#stop({ rows: [...this.rows], isOlder: false })
  }

  /**
   * Shows runs of the past instead of the live runs, if at least one passes the filters.
   *
   * @returns True if they are shown.
   */
  showOlder(rows: readonly RunRow[]): boolean {
    const older = rows.filter(row => passes(this.#filters, row))
    if (older.length === 0) return false
    this.#stop({ rows: older.slice(0, mostShown), isOlder: true })
    return true
  }

  /** Shows the live runs again. */
  resume(): void {
    this.#stopped = undefined
    this.#missed = 0
    this.revision++
  }

  #stop(stopped: { readonly rows: readonly RunRow[]; readonly isOlder: boolean }): void {
    this.#stopped = stopped
    this.revision++
  }

  #add(rows: readonly RunRow[]): void {
    const known = new Set(this.#live.map(({ id }) => id))
    const added = rows.filter(row => {
      if (known.has(row.id) || !passes(this.#filters, row)) return false
      known.add(row.id)
      return true
    })
    if (added.length === 0) return
    // ISO dates have the order of their texts.
    this.#live = [...added, ...this.#live]
      .toSorted((one, other) => (one.at < other.at ? 1 : one.at > other.at ? -1 : 0))
      .slice(0, mostShown)
    if (this.#stopped === undefined) this.revision++
    else this.#missed += added.length
  }
}
