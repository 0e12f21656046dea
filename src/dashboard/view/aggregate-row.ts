import type { AggregateState } from '../model/aggregate-state.ts'
import { absent, latency, rate, share } from '../model/format.ts'
import { AttributeCell, element, TextCell } from './dom.ts'

const states = ['complete', 'partial', 'failed', 'cancelled'] as const

/**
 * The row of one aggregate: its traffic, how its runs ended, and what callers get. It has its roles as attributes,
 * because a row that is laid out as a grid is not a row for every browser.
 */
export class AggregateRow {
  readonly node: HTMLTableRowElement
  readonly #title: AttributeCell
  readonly #rate: TextCell
  readonly #segments = states.map(state => element('span', { class: `segment segment-${state}`, hidden: true }))
  readonly #widths = states.map(() => -1)
  readonly #shares: readonly { readonly cell: TextCell; readonly isZero: AttributeCell }[]
  readonly #p95: TextCell
  readonly #callers: TextCell

  constructor({ name }: AggregateState) {
    const perSecond = element('td', { class: 'numeric', attributes: { role: 'cell', 'data-label': 'runs/s' } })
    this.#rate = new TextCell(perSecond)
    const shares = states.map(state => {
      const node = element('td', {
        class: 'numeric share',
        attributes: { role: 'cell', 'data-label': state, 'data-state': state },
      })
      return { node, cell: new TextCell(node), isZero: new AttributeCell(node, 'data-zero') }
    })
    this.#shares = shares
    const p95 = element('td', { class: 'numeric', attributes: { role: 'cell', 'data-label': 'p95' } })
    this.#p95 = new TextCell(p95)
    const callers = element('td', { class: 'callers', attributes: { role: 'cell' } })
    this.#callers = new TextCell(callers)
    const explain = element('a', {
      class: 'explain',
      text: 'Explain',
      attributes: { href: `explain/${encodeURIComponent(name)}`, 'aria-label': `Explain ${name}` },
    })
    explain.dataset.explain = name
    const head = element('th', { class: 'aggregate-name', attributes: { role: 'rowheader', scope: 'row' } })
    const title = element('span', { class: 'aggregate-title', text: name })
    this.#title = new AttributeCell(title, 'title')
    head.append(title)
    this.node = element(
      'tr',
      { attributes: { role: 'row', tabindex: '-1' } },
      head,
      perSecond,
      element(
        'td',
        { class: 'bar-cell', attributes: { 'aria-hidden': 'true' } },
        element('span', { class: 'bar' }, ...this.#segments),
      ),
      ...shares.map(({ node }) => node),
      p95,
      callers,
      element('td', { class: 'explain-cell', attributes: { role: 'cell' } }, explain),
    )
  }

  render(aggregate: AggregateState): void {
    const { runs, info } = aggregate
    this.#title.set(`${info.method} ${info.url}`)
    this.#rate.set(rate(aggregate.rate))
    states.forEach((state, index) => {
      const part = runs === 0 ? 0 : aggregate[state] / runs
      this.#resize(index, part)
      this.#shares[index]?.cell.set(runs === 0 ? absent : share(part))
      this.#shares[index]?.isZero.set(String(part === 0))
    })
    this.#p95.set(latency(aggregate.p95))
    this.#callers.set(callersGet(aggregate))
  }

  #resize(index: number, part: number): void {
    const width = part === 0 ? 0 : Math.max(1, Math.round(part * 500))
    if (width === this.#widths[index]) return
    this.#widths[index] = width
    const segment = this.#segments[index]
    if (segment === undefined) return
    segment.style.flexGrow = String(part)
    segment.hidden = part === 0
  }
}

/** Returns what a caller receives that does not get a complete reply. */
function callersGet({ runs, partial, failed, topStatus, topCode }: AggregateState): string {
  if (runs === 0) return 'no run in 10 s'
  if (failed > 0) return [topStatus ?? 'errors', topCode ?? ''].join(' ').trimEnd()
  if (partial > 0) return ['partial replies', topCode ?? ''].join(' ').trimEnd()
  return 'complete replies'
}
