import { absent, clock, latency, rate, share } from '../model/format.ts'
import { numberRows, type NumberRow } from '../model/number-rows.ts'
import type { Series } from '../model/series.ts'
import { breakerStates, type UpstreamState } from '../model/upstream-state.ts'
import { element, TextCell } from './dom.ts'

/** Two minutes, of which one row may be cut at each end. */
const rowCount = 13

const columns: readonly { readonly head: string; readonly text: (row: NumberRow) => string }[] = [
  { head: 'attempts/s', text: row => rate(row.attempts) },
  { head: 'failed', text: row => share(row.failedShare) },
  { head: 'p50', text: row => latency(row.p50) },
  { head: 'p95', text: row => latency(row.p95) },
  { head: 'p99', text: row => latency(row.p99) },
  { head: 'permits', text: row => whole(row.permits) },
  { head: 'queued', text: row => whole(row.queued) },
  { head: 'retries/s', text: row => rate(row.retries) },
  { head: 'hedges/s', text: row => rate(row.hedges) },
  { head: 'hedges won/s', text: row => rate(row.hedgesWon) },
  { head: 'not sent/s', text: row => rate(row.refusedResends) },
  { head: 'from cache', text: row => share(row.cacheShare) },
  { head: 'breaker', text: row => breakerStates[row.breaker] ?? absent },
]

/** The numbers of the charts as a table, for screen readers and for copying. It is written only while it is open. */
export class NumbersTable {
  readonly host = element('div', { class: 'numbers' })
  readonly #button = element('button', {
    class: 'tool',
    text: 'Show numbers',
    attributes: { type: 'button', 'aria-expanded': 'false', 'aria-controls': 'numbers' },
  })
  readonly #region = element('div', {
    class: 'numbers-region',
    id: 'numbers',
    hidden: true,
    attributes: { role: 'region', tabindex: '0', 'aria-label': 'Numbers of the last two minutes' },
  })
  readonly #caption = element('caption')
  readonly #title = new TextCell(this.#caption)
  readonly #rows: readonly { readonly node: HTMLElement; readonly cells: readonly TextCell[] }[]

  /** @param onOpen Called after the table is opened, when it has no numbers yet. */
  constructor(onOpen: () => void) {
    const head = element('tr', {}, ...['from', ...columns.map(column => column.head)].map(headOf))
    this.#rows = Array.from({ length: rowCount }, createRow)
    const body = element('tbody', {}, ...this.#rows.map(({ node }) => node))
    this.#region.append(element('table', {}, this.#caption, element('thead', {}, head), body))
    this.host.append(this.#button, this.#region)
    this.#button.addEventListener('click', () => {
      const isOpen = this.#region.hidden
      this.#region.hidden = !isOpen
      this.#button.setAttribute('aria-expanded', String(isOpen))
      this.#button.textContent = isOpen ? 'Hide numbers' : 'Show numbers'
      if (isOpen) onOpen()
    })
  }

  render(upstream: UpstreamState, times: Series, every: number): void {
    if (this.#region.hidden) return
    this.#title.set(`${upstream.name}: the last two minutes, ten seconds per row`)
    const rows = numberRows(upstream, times, every)
    for (const [index, { node, cells }] of this.#rows.entries()) {
      const row = rows[index]
      node.hidden = row === undefined
      if (row === undefined) continue
      cells[0]?.set(clock(row.from))
      for (const [column, { text }] of columns.entries()) cells[column + 1]?.set(text(row))
    }
  }
}

function createRow() {
  const cells = [element('th', { attributes: { scope: 'row' } }), ...columns.map(() => element('td'))]
  return { node: element('tr', {}, ...cells), cells: cells.map(cell => new TextCell(cell)) }
}

const headOf = (text: string) => element('th', { text, attributes: { scope: 'col' } })

const whole = (value: number) => (Number.isNaN(value) ? absent : String(value))
