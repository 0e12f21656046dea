import { rate, share } from '../model/format.ts'
import { points } from '../model/series.ts'
import type { DashboardState } from '../model/state.ts'
import { AttributeCell, drawing, element, TextCell } from './dom.ts'
import type { Page, View } from './shell.ts'

const states = ['complete', 'partial', 'failed', 'cancelled'] as const
const height = 100
/** Points that are one column of the picture: two seconds. */
const width = 4

/** The answers that callers get: the runs of all aggregates per second, and the share of each state. */
export class Totals implements View {
  readonly #rate: TextCell
  readonly #shares: readonly { readonly cell: TextCell; readonly isZero: AttributeCell }[]
  readonly #areas = states.map(state => drawing('path', { class: `flow-${state}` }))
  readonly #columns = new Float64Array((points / width) * states.length)

  constructor(page: Page) {
    const perSecond = element('dd')
    this.#rate = new TextCell(perSecond)
    const list = element('dl', { class: 'figures' })
    list.append(element('div', { class: 'figure figure-rate' }, element('dt', { text: 'runs/s' }), perSecond))
    this.#shares = states.map(state => {
      const value = element('dd')
      const figure = element('div', { class: 'figure' }, element('dt', { text: state }), value)
      figure.dataset.state = state
      list.append(figure)
      return { cell: new TextCell(value), isZero: new AttributeCell(figure, 'data-zero') }
    })
    const picture = drawing(
      'svg',
      {
        class: 'flow',
        viewBox: `0 0 ${points} ${height}`,
        preserveAspectRatio: 'none',
        'aria-hidden': 'true',
        focusable: 'false',
      },
      ...this.#areas,
    )
    page.places.totals.append(list, picture)
  }

  render(state: DashboardState): void {
    let runs = 0
    let perSecond = 0
    const sums = { complete: 0, partial: 0, failed: 0, cancelled: 0 }
    for (const aggregate of state.aggregates) {
      runs += aggregate.runs
      perSecond += aggregate.rate
      for (const name of states) sums[name] += aggregate[name]
    }
    this.#rate.set(rate(perSecond))
    states.forEach((name, index) => {
      this.#shares[index]?.cell.set(share(runs === 0 ? NaN : sums[name] / runs))
      this.#shares[index]?.isZero.set(String(sums[name] === 0))
    })
    this.#draw(state)
  }

  // The areas of the states are stacked: each one has the sum of its state and of the states after it.
  #draw({ aggregates }: DashboardState): void {
    const columns = this.#columns.fill(0)
    const length = points / width
    for (const { series } of aggregates)
      states.forEach((name, row) => {
        const values = series[name]
        for (let at = 0; at < points; at++) {
          const column = row * length + Math.floor(at / width)
          columns[column] = (columns[column] ?? 0) + (values[at] ?? 0)
        }
      })
    for (let row = states.length - 2; row >= 0; row--)
      for (let at = 0; at < length; at++)
        columns[row * length + at] = (columns[row * length + at] ?? 0) + (columns[(row + 1) * length + at] ?? 0)
    let most = 0
    for (let at = 0; at < length; at++) most = Math.max(most, columns[at] ?? 0)
    this.#areas.forEach((area, row) => area.setAttribute('d', areaOf(columns, row * length, length, most)))
  }
}

function areaOf(values: Float64Array, from: number, length: number, most: number): string {
  let path = `M0 ${height}`
  let level = 0
  for (let at = 0; at < length; at++) {
    const next = most === 0 ? 0 : Math.round((height * (values[from + at] ?? 0)) / most)
    if (next !== level) path += `H${at * width}V${height - next}`
    level = next
  }
  return `${path}H${points}V${height}Z`
}
