import type UPlot from 'uplot'
import type { ChartData } from '../model/chart-data.ts'
import { chartSpecs, withUnit } from '../model/chart-specs.ts'
import { clock } from '../model/format.ts'
import { points } from '../model/series.ts'
import { breakerStates } from '../model/upstream-state.ts'
import { createFigure, swatch, type Figure } from './chart-figure.ts'
import { axisHeight, chartOptions, faded } from './chart-options.ts'
import { element, TextCell } from './dom.ts'
import { colour } from './theme.ts'

// uPlot has no module for browsers: its script sets a global variable.
declare const uPlot: typeof UPlot

const open = breakerStates.indexOf('open')
const halfOpen = breakerStates.indexOf('half-open')

/**
 * The charts of one upstream, one below the other on one time axis. They get the same arrays for each sample. A change
 * of the theme or of the visible charts makes them again, and a change of the width resizes them.
 */
export class Charts {
  readonly host = element('div', { class: 'charts', attributes: { 'aria-hidden': 'true' } })
  readonly #data: ChartData
  readonly #figures: readonly Figure[] = chartSpecs.map(createFigure)
  readonly #time: TextCell
  readonly #breakerKey = element(
    'span',
    { class: 'line-key', hidden: true },
    swatch('breaker', 'area'),
    'circuit breaker open',
  )
  #shown = ''
  #width = 0
  #point: number | undefined
  #breakerColours: readonly (string | undefined)[] = []

  constructor(data: ChartData) {
    this.#data = data
    const time = element('span', { class: 'charts-time' })
    this.#time = new TextCell(time)
    const head = element('p', { class: 'charts-head' }, time, this.#breakerKey)
    this.host.append(head, ...this.#figures.map(({ root }) => root))
    new ResizeObserver(() => this.#resize()).observe(this.host)
  }

  /** Draws the data after it has changed. */
  draw(): void {
    const { lines } = this.#data
    const visible = this.#figures.filter(
      ({ spec }) => !spec.isOptional || this.#data.has(...spec.lines.map(({ name }) => name)),
    )
    const shown = visible.map(({ spec }) => spec.title).join()
    if (shown !== this.#shown) {
      this.#shown = shown
      for (const figure of this.#figures) figure.root.hidden = !visible.includes(figure)
      this.rebuild()
    } else for (const figure of visible) figure.drawn?.setData(this.#arraysOf(figure))
    this.#breakerKey.hidden = !lines.breaker.some(state => state === open || state === halfOpen)
    this.#writeLegends()
  }

  /** Makes the charts again, with the present colours. */
  rebuild(): void {
    for (const figure of this.#figures) {
      figure.drawn?.destroy()
      figure.drawn = undefined
    }
    this.#width = this.host.clientWidth
    if (this.#width === 0) return
    this.#breakerColours = breakerStates.map((_, state) =>
      state === open
        ? faded(colour('--failing'), 20)
        : state === halfOpen
          ? faded(colour('--strained'), 26)
          : undefined,
    )
    const visible = this.#figures.filter(({ root }) => !root.hidden)
    for (const figure of visible)
      figure.drawn = new uPlot(
        chartOptions(figure, {
          width: this.#width,
          isLast: figure === visible.at(-1),
          drawBelow: chart => this.#drawBreaker(chart),
          onPoint: at => {
            this.#point = at
            this.#writeLegends()
          },
        }),
        this.#arraysOf(figure),
        figure.plot,
      )
  }

  #resize(): void {
    const width = this.host.clientWidth
    if (width === this.#width || width === 0) return
    if (this.#width === 0) return this.rebuild()
    this.#width = width
    const last = this.#figures.findLast(({ drawn }) => drawn !== undefined)
    for (const figure of this.#figures)
      figure.drawn?.setSize({
        width,
        height: figure.spec.height + (figure === last ? axisHeight.last : axisHeight.other),
      })
  }

  #arraysOf({ spec }: Figure): UPlot.AlignedData {
    return [this.#data.seconds, ...spec.lines.map(({ name }) => this.#data.lines[name])]
  }

  #secondOf(point: number): number {
    return this.#data.seconds[point] ?? 0
  }

  /** Writes the values of the point below the pointer, or of the newest one. */
  #writeLegends(): void {
    const { lines } = this.#data
    const at = this.#point ?? points - 1
    const moment = (point: number) => clock(this.#secondOf(point) * 1000)
    const time = this.#point === undefined ? `${moment(0)} to ${moment(points - 1)}` : `at ${moment(at)}`
    this.#time.set(`${time}; rates over 1 s`)
    for (const { spec, legends } of this.#figures)
      for (const { line, value } of legends)
        value.set(withUnit(line.value?.(this.#data, at) ?? lines[line.name][at] ?? null, spec.unit))
  }

  /** Shades the time in which the circuit breaker was open or half-open. */
  #drawBreaker(chart: UPlot): void {
    const { ctx, bbox } = chart
    const { lines } = this.#data
    const xOf = (point: number) => chart.valToPos(this.#secondOf(point), 'x', true)
    for (let from = 0; from < points;) {
      const state = lines.breaker[from] ?? 0
      let to = from + 1
      while (to < points && lines.breaker[to] === state) to++
      const fill = this.#breakerColours[state]
      if (fill !== undefined) {
        // A point covers the time before it.
        const left = Math.max(bbox.left, xOf(Math.max(0, from - 1)))
        ctx.fillStyle = fill
        ctx.fillRect(left, bbox.top, xOf(to - 1) - left, bbox.height)
      }
      from = to
    }
  }
}
