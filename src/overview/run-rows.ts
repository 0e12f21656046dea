import type { Runs } from '../dashboard/protocol.ts'
import type { RunRow } from '../waterfall/kept-run.ts'

/** The largest number of rows in one event. */
const maxRows = 20

/** The states in the order in which their rows are shown, if there is no room for all. */
const order = ['failed', 'partial', 'cancelled', 'complete'] as const

/** Collects the kept runs between two events, and takes a limited number of them. */
export class RunRows {
  #rows: RunRow[] = []
  #more: Record<RunRow['state'], number> = none()

  /** Adds a kept run. */
  add(row: RunRow): void {
    if (this.#rows.length < maxRows) return void this.#rows.push(row)
    const rank = order.indexOf(row.state)
    const last = this.#rows.findLastIndex(each => order.indexOf(each.state) > rank)
    const left = last === -1 ? row : (this.#rows[last] as RunRow)
    this.#more[left.state]++
    if (last === -1) return
    this.#rows.splice(last, 1)
    this.#rows.push(row)
  }

  /** Adds the rows of another process. */
  addAll({ rows, more }: Pick<Runs, 'rows' | 'more'>): void {
    for (const row of rows) this.add(row)
    for (const state of order) this.#more[state] += more[state]
  }

  /** Returns the event of the runs since the last call, oldest first; `undefined` without a run. */
  take(): Runs | undefined {
    const rows = this.#rows
    const more = this.#more
    if (rows.length === 0 && order.every(state => more[state] === 0)) return undefined
    this.#rows = []
    this.#more = none()
    return { type: 'runs', rows, more }
  }
}

function none(): Record<RunRow['state'], number> {
  return { complete: 0, partial: 0, failed: 0, cancelled: 0 }
}
