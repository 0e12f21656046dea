import type UPlot from 'uplot'
import type { ChartSpec, LineSpec } from '../model/chart-specs.ts'
import { drawing, element, TextCell } from './dom.ts'

/** The entry of a line in the legend. */
export interface Legend {
  readonly line: LineSpec
  /** The sample of the line. Its computed colour is that of the line. */
  readonly swatch: Element
  readonly value: TextCell
}

/** One chart on the page; `drawn` is undefined while it is not visible. */
export interface Figure {
  readonly spec: ChartSpec
  readonly root: HTMLElement
  readonly plot: HTMLElement
  readonly legends: readonly Legend[]
  drawn: UPlot | undefined
}

/** Creates the figure of a chart: its title, its legend and the place of its plot. */
export function createFigure(spec: ChartSpec): Figure {
  const caption = element('figcaption', {}, element('span', { class: 'chart-title', text: spec.title }))
  const legends = spec.lines.map((line): Legend => {
    const sample = swatch(line.name, line.shape)
    const value = element('b')
    caption.append(element('span', { class: 'line-key' }, sample, `${line.label} `, value))
    return { line, swatch: sample, value: new TextCell(value) }
  })
  const plot = element('div', { class: 'plot' })
  return { spec, root: element('figure', { class: 'chart' }, caption, plot), plot, legends, drawn: undefined }
}

/** Returns a sample of a line for a legend. */
export function swatch(name: string, shape: LineSpec['shape']): Element {
  const sample = drawing('svg', {
    class: `swatch swatch-${shape} line-${name}`,
    viewBox: '0 0 16 10',
    width: '16',
    height: '10',
  })
  const isFilled = shape === 'area' || shape === 'hatch'
  if (isFilled) sample.append(drawing('rect', { width: '16', height: '10' }))
  sample.append(
    drawing('path', { d: shape === 'hatch' ? 'M0 8L8 0M4 10L14 0M10 10L16 4' : isFilled ? 'M0 1H16' : 'M0 5H16' }),
  )
  return sample
}
