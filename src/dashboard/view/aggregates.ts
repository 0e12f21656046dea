import type { AggregateState } from '../model/aggregate-state.ts'
import type { DashboardState } from '../model/state.ts'
import { AggregateRow } from './aggregate-row.ts'
import { arrange, element, TextCell } from './dom.ts'
import type { Page, View } from './shell.ts'

/** The shortest time between two orders of the rows, in ms, so that a row can be read and hit. */
const orderMs = 5000

const heads = [
  ['Aggregate', ''],
  ['Runs/s', 'numeric'],
  ['Ends of runs', 'bar-head'],
  ['Complete', 'numeric wide'],
  ['Partial', 'numeric'],
  ['Failed', 'numeric'],
  ['Cancelled', 'numeric wide cancelled-head'],
  ['p95', 'numeric wide'],
  ['Callers get', 'callers'],
  ['Explanation', 'explain-head'],
] as const

/** The aggregates in a table, those with trouble first. */
export class Aggregates implements View {
  readonly #filter: () => string
  readonly #body = element('tbody', { attributes: { role: 'rowgroup' } })
  readonly #box: HTMLElement
  readonly #rows = new Map<string, AggregateRow>()
  readonly #empty = element('p', { class: 'empty', hidden: true })
  readonly #emptyText = new TextCell(this.#empty)
  #order: readonly AggregateState[] = []
  #orderedAt = 0
  #names = -1
  #shownFilter = ''

  constructor(page: Page, filter: () => string, explain: (aggregate: string) => void) {
    this.#filter = filter
    const head = element('tr', { attributes: { role: 'row' } })
    for (const [text, kind] of heads) head.append(headOf(text, kind))
    const table = element(
      'table',
      { class: 'table', attributes: { role: 'table' } },
      element('caption', { class: 'unseen', text: 'Aggregates over the last 10 s, those with trouble first' }),
      element('thead', { attributes: { role: 'rowgroup' } }, head),
      this.#body,
    )
    this.#box = element('div', { class: 'table-box', attributes: { tabindex: '0', role: 'group' } }, table)
    this.#box.setAttribute('aria-labelledby', 'aggregates-title')
    page.places.aggregates.append(this.#box, this.#empty)
    this.#body.addEventListener('click', event => {
      const link = event.target instanceof Element ? event.target.closest('a') : null
      const name = link?.dataset.explain
      if (name === undefined || event.ctrlKey || event.metaKey || event.shiftKey) return
      event.preventDefault()
      explain(name)
    })
  }

  render(state: DashboardState): void {
    const filter = this.#filter()
    if (this.#names !== state.namesRevision) this.#rebuild(state)
    const isDue = state.at - this.#orderedAt >= orderMs && !this.#isInUse()
    if (isDue || filter !== this.#shownFilter) {
      this.#orderedAt = state.at
      this.#shownFilter = filter
      this.#order = state.aggregates.filter(({ name }) => name.toLowerCase().includes(filter)).toSorted(byTrouble)
      arrange(
        this.#body,
        this.#order.map(aggregate => this.#rowOf(aggregate).node),
      )
      this.#box.hidden = this.#order.length === 0
      this.#empty.hidden = this.#order.length > 0
      this.#emptyText.set(filter === '' ? 'No aggregate is served.' : `No aggregate has ‘${filter}’ in its name.`)
    }
    for (const aggregate of this.#order) this.#rowOf(aggregate).render(aggregate)
  }

  /** Returns true if the filter hides the row of an aggregate. */
  hides(name: string): boolean {
    return this.#rows.get(name)?.node.isConnected !== true
  }

  /** Scrolls to a row and gives it the focus. */
  show(name: string): void {
    const row = this.#rows.get(name)?.node
    row?.scrollIntoView({ block: 'center' })
    row?.focus({ preventScroll: true })
  }

  #rebuild({ namesRevision, aggregates }: DashboardState): void {
    this.#names = namesRevision
    this.#orderedAt = 0
    const names = new Set(aggregates.map(({ name }) => name))
    for (const name of this.#rows.keys()) if (!names.has(name)) this.#rows.delete(name)
  }

  #rowOf(aggregate: AggregateState): AggregateRow {
    let row = this.#rows.get(aggregate.name)
    if (row === undefined) this.#rows.set(aggregate.name, (row = new AggregateRow(aggregate)))
    return row
  }

  // A row under the pointer or with the focus stays where it is.
  #isInUse(): boolean {
    return this.#orderedAt > 0 && (this.#body.matches(':hover') || this.#body.contains(document.activeElement))
  }
}

// The links speak for themselves, so the head of their column is for screen readers.
const headOf = (text: string, kind: string) =>
  kind === 'explain-head'
    ? element(
        'th',
        { class: kind, attributes: { role: 'columnheader', scope: 'col' } },
        element('span', { class: 'unseen', text }),
      )
    : element('th', { class: kind, text, attributes: { role: 'columnheader', scope: 'col' } })

// Shares are compared in steps of 5 percent: smaller differences move no row.
const byTrouble = (a: AggregateState, b: AggregateState) =>
  step(b.failed, b.runs) - step(a.failed, a.runs) ||
  step(b.partial, b.runs) - step(a.partial, a.runs) ||
  Number(b.runs > 0) - Number(a.runs > 0) ||
  a.index - b.index

const step = (part: number, runs: number) => (runs === 0 ? 0 : Math.ceil((20 * part) / runs))
