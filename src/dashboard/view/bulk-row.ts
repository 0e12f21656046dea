import type { BulkRunState } from '../model/bulk-state.ts'
import { absent, clock, count, day, elapsed, moment, rate, share } from '../model/format.ts'
import { AttributeCell, element, TextCell } from './dom.ts'

const kinds = ['succeeded', 'partial', 'failed'] as const
const segments = ['complete', 'partial', 'failed'] as const

/**
 * The row of one bulk run. It has its roles as attributes, because a row that is laid out as a grid is not a row for
 * every browser.
 */
export class BulkRowView {
  readonly node: HTMLTableRowElement
  readonly #state: TextCell
  readonly #dataState: AttributeCell
  /** The service does not offer the aggregate of a run that waits. */
  readonly #hint: TextCell
  readonly #percent: TextCell
  readonly #items: TextCell
  readonly #bar = element('span', { class: 'bar', attributes: { role: 'progressbar', 'aria-valuemin': '0' } })
  readonly #now = new AttributeCell(this.#bar, 'aria-valuenow')
  readonly #max = new AttributeCell(this.#bar, 'aria-valuemax')
  readonly #valueText = new AttributeCell(this.#bar, 'aria-valuetext')
  readonly #parts = segments.map(name => element('span', { class: `segment segment-${name}`, hidden: true }))
  readonly #rest = element('span', { class: 'bulk-rest' })
  /** The numbers of items that the parts of the bar have. */
  readonly #drawn = [-1, -1, -1, -1]
  readonly #counts: readonly { readonly cell: TextCell; readonly isZero: AttributeCell }[]
  readonly #rate: TextCell
  readonly #remaining: TextCell
  readonly #started: TextCell
  readonly #ended: TextCell
  readonly #kept: TextCell

  constructor({ row: { id, aggregate } }: BulkRunState) {
    const cell = (name: string, label: string) =>
      element('td', { class: name, attributes: { role: 'cell', 'data-label': label } })
    const line = (name: string) => element('span', { class: name })
    const state = cell('bulk-state', 'state')
    this.#state = new TextCell(state)
    const hint = line('bulk-hint')
    this.#hint = new TextCell(hint)
    state.append(hint)
    const [percent, items] = [line('bulk-percent'), line('bulk-items')]
    this.#percent = new TextCell(percent)
    this.#items = new TextCell(items)
    this.#bar.setAttribute('aria-label', `Progress of the bulk run ${id} of ${aggregate}`)
    this.#bar.append(...this.#parts, this.#rest)
    const progress = cell('bulk-progress', '')
    progress.append(this.#bar, element('span', { class: 'bulk-numbers' }, percent, ' ', items))
    const counts = kinds.map((kind, index) => {
      const node = cell('numeric share', kind)
      node.dataset['state'] = segments[index]
      return { node, cell: new TextCell(node), isZero: new AttributeCell(node, 'data-zero') }
    })
    this.#counts = counts
    const [perSecond, remaining, started] = [
      cell('numeric', 'items/s'),
      cell('numeric', 'remaining'),
      cell('numeric', 'started'),
    ]
    this.#rate = new TextCell(perSecond)
    this.#remaining = new TextCell(remaining)
    this.#started = new TextCell(started)
    const end = cell('numeric bulk-end', 'ended')
    const [ended, kept] = [line(''), line('soft bulk-kept')]
    end.append(ended, ' ', kept)
    this.#ended = new TextCell(ended)
    this.#kept = new TextCell(kept)
    this.node = element(
      'tr',
      { class: 'bulk-run', attributes: { role: 'row', 'data-run': id } },
      element(
        'th',
        { class: 'bulk-name', attributes: { role: 'rowheader', scope: 'row' } },
        element('span', { class: 'bulk-aggregate', text: aggregate }),
        element('span', { class: 'bulk-id', text: id }),
      ),
      state,
      progress,
      ...counts.map(({ node }) => node),
      perSecond,
      remaining,
      started,
      end,
    )
    this.#dataState = new AttributeCell(this.node, 'data-state')
  }

  /** @param now The present by the clock of the service, in ms. */
  render(run: BulkRunState, now: number): void {
    const { state, items, done, counts, createdAt, endedAt, expiresAt } = run.row
    this.#dataState.set(state)
    this.#state.set(state)
    this.#hint.set(state === 'waiting' ? ' for its aggregate' : '')
    const part = done / items
    this.#percent.set(share(part))
    this.#items.set(`${count(done)} of ${count(items)}`)
    this.#max.set(String(items))
    this.#now.set(String(done))
    this.#valueText.set(`${share(part)}, ${count(done)} of ${count(items)} items`)
    // Results that are not counted by kind yet are drawn as if they were complete.
    const drawn = kinds.map(kind => (counts === null ? (kind === 'succeeded' ? done : 0) : counts[kind]))
    this.#draw([...drawn, items - done], items)
    kinds.forEach((kind, index) => {
      this.#counts[index]?.cell.set(counts === null ? absent : count(counts[kind]))
      this.#counts[index]?.isZero.set(String(counts === null || counts[kind] === 0))
    })
    const perSecond = run.perSecond(now)
    const remaining = run.remaining(now)
    this.#rate.set(Number.isNaN(perSecond) ? absent : rate(perSecond))
    this.#remaining.set(Number.isFinite(remaining) ? elapsed(remaining) : absent)
    this.#started.set(moment(createdAt, now))
    this.#ended.set(endedAt === null ? absent : moment(endedAt, now))
    this.#kept.set(expiresAt === null ? '' : `kept until ${keptUntil(expiresAt, now)}`)
  }

  #draw(numbers: readonly number[], items: number): void {
    const nodes = [...this.#parts, this.#rest]
    for (const [index, node] of nodes.entries()) {
      const number = numbers[index] ?? 0
      if (number === this.#drawn[index]) continue
      this.#drawn[index] = number
      node.style.flexGrow = String(number / items)
      node.hidden = number === 0
    }
  }
}

const keptUntil = (at: number, now: number) => (at - now < 24 * 3_600_000 ? clock(at).slice(0, -3) : day(at))
