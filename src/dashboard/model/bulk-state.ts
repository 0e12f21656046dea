import type { BulkRow, BulkRuns, BulkState } from '../protocol.ts'
import { ProgressRate } from './progress-rate.ts'

/** A bulk run as the page shows it. */
export class BulkRunState {
  row: BulkRow
  readonly #rate = new ProgressRate()

  constructor(row: BulkRow) {
    this.row = row
  }

  /** Takes the run of a look at a moment in ms. */
  set(row: BulkRow, at: number): void {
    this.row = row
    if (row.state === 'running') this.#rate.add(at, row.done)
    else this.#rate.clear()
  }

  /** Returns the items per second; NaN while it is not known. */
  perSecond(now: number): number {
    return this.#rate.perSecond(now)
  }

  /** Returns the time to the end at the present rate, in ms; NaN while it is not known. */
  remaining(now: number): number {
    return (1000 * (this.row.items - this.row.done)) / this.perSecond(now)
  }
}

/** The bulk runs that the page has received. */
export class BulkRunsState {
  /** True if an aggregate has `bulk: true`. */
  isOffered = false
  status: BulkRuns['status'] = 'unread'
  /** The moment of the last look that succeeded. */
  at = 0
  all = 0
  /** In the order of the service: runs that have not ended are first. */
  runs: readonly BulkRunState[] = []
  #byId: ReadonlyMap<string, BulkRunState> = new Map()

  /** Takes the runs of an event. Runs that are still there keep their rate. */
  apply(event: BulkRuns | null): void {
    this.isOffered = event !== null
    // The rows of a connection that was lost stay until there are new ones.
    if (event === null || (event.status === 'unread' && this.runs.length > 0)) return
    this.status = event.status
    this.at = event.at
    this.all = event.all
    this.runs = event.rows.map(row => {
      const run = this.#byId.get(row.id) ?? new BulkRunState(row)
      run.set(row, event.at)
      return run
    })
    this.#byId = new Map(this.runs.map(run => [run.row.id, run]))
  }

  /** Returns the number of runs in each state that a run has. */
  counts(): ReadonlyMap<BulkState, number> {
    const counts = new Map<BulkState, number>()
    for (const { row } of this.runs) counts.set(row.state, (counts.get(row.state) ?? 0) + 1)
    return counts
  }
}
