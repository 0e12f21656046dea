import type { BulkRunsState, BulkRunState } from '../model/bulk-state.ts'
import { count, moment } from '../model/format.ts'
import type { DashboardState } from '../model/state.ts'
import type { BulkState } from '../protocol.ts'
import { BulkRowView } from './bulk-row.ts'
import { arrange, element, TextCell } from './dom.ts'
import { place, type Page, type View } from './shell.ts'

const heads = [
  ['Aggregate and id', ''],
  ['State', ''],
  ['Progress', ''],
  ['Succeeded', 'numeric'],
  ['Partial', 'numeric'],
  ['Failed', 'numeric'],
  ['Items/s', 'numeric'],
  ['Remaining', 'numeric'],
  ['Started', 'numeric'],
  ['Ended', 'numeric'],
] as const

const states: readonly BulkState[] = ['running', 'waiting', 'paused', 'completed', 'cancelled']

/** The bulk runs of all callers in a table, with their progress. Without an aggregate for bulk runs it is hidden. */
export class BulkRunsView implements View {
  readonly #page: Page
  readonly #filter: () => string
  readonly #section = place('bulk')
  readonly #skip = place('skip-bulk')
  readonly #status: TextCell
  readonly #body = element('tbody', { attributes: { role: 'rowgroup' } })
  readonly #box: HTMLElement
  readonly #rows = new Map<string, BulkRowView>()
  readonly #known = new Map<string, BulkState>()
  #isFirst = true

  constructor(page: Page, filter: () => string) {
    this.#page = page
    this.#filter = filter
    const status = element('p', { class: 'bulk-status' })
    this.#status = new TextCell(status)
    const head = element('tr', { attributes: { role: 'row' } })
    for (const [text, kind] of heads)
      head.append(element('th', { class: kind, text, attributes: { role: 'columnheader', scope: 'col' } }))
    const table = element(
      'table',
      { class: 'bulk-table', attributes: { role: 'table' } },
      element('caption', { class: 'unseen', text: 'Bulk runs, those that have not ended first, the newest first' }),
      element('thead', { attributes: { role: 'rowgroup' } }, head),
      this.#body,
    )
    this.#box = element('div', { class: 'bulk-box', attributes: { tabindex: '0', role: 'group' } }, table)
    this.#box.setAttribute('aria-labelledby', 'bulk-title')
    page.places.bulk.append(status, this.#box)
  }

  render({ bulk, at }: DashboardState): void {
    const wasHidden = this.#section.hidden
    this.#section.hidden = this.#skip.hidden = !bulk.isOffered
    if (!bulk.isOffered) return
    const filter = this.#filter()
    const shown = bulk.runs.filter(({ row }) => row.aggregate.toLowerCase().includes(filter))
    this.#write(shown, at)
    this.#status.set(statusOf(bulk, shown.length, filter, at))
    this.#announce(bulk)
    // The browser could not scroll to a section that was hidden.
    if (wasHidden && location.hash === '#bulk') this.#section.scrollIntoView()
  }

  #write(shown: readonly BulkRunState[], at: number): void {
    const ids = new Set(shown.map(({ row }) => row.id))
    for (const id of this.#rows.keys()) if (!ids.has(id)) this.#rows.delete(id)
    const views = shown.map(run => {
      const view = this.#rows.get(run.row.id) ?? new BulkRowView(run)
      this.#rows.set(run.row.id, view)
      view.render(run, at)
      return view.node
    })
    arrange(this.#body, views)
    this.#box.hidden = shown.length === 0
  }

  /** Says the end of a run that was seen before its end. */
  #announce({ runs, status }: BulkRunsState): void {
    if (status === 'unread') return
    const before = new Map(this.#known)
    this.#known.clear()
    for (const { row } of runs) {
      const { id, aggregate, state, items, done } = row
      this.#known.set(id, state)
      const hasEnded = state === 'completed' || state === 'cancelled'
      if (hasEnded && !this.#isFirst && before.get(id) !== state)
        this.#page.announce(`A bulk run of ${aggregate} is ${state}: ${done} of ${items} items.`)
    }
    this.#isFirst = false
  }
}

/** Returns the number of runs by state, or why there are none. */
function statusOf(bulk: BulkRunsState, shown: number, filter: string, now: number): string {
  const { status, runs, all, at } = bulk
  if (status === 'unread') return 'Reading the bulk runs…'
  const failure = 'The folder of the bulk runs cannot be read; the log has the reason.'
  if (runs.length === 0) return status === 'unreadable' ? failure : 'There are no bulk runs.'
  if (shown === 0) return `No bulk run of an aggregate has ‘${filter}’ in its name.`
  const counts = bulk.counts()
  const numbers = states.flatMap(state => (counts.has(state) ? [`${counts.get(state)} ${state}`] : []))
  const more = all > runs.length ? `; the newest ${runs.length} of ${count(all)} runs` : ''
  const text = `${numbers.join(', ')}${more}.`
  return status === 'unreadable' ? `${failure} The numbers are from ${moment(at, now)}: ${text}` : text
}
