import type UPlot from 'uplot'
import { topOf, withUnit, type LineSpec } from '../model/chart-specs.ts'
import { clock } from '../model/format.ts'
import type { Figure } from './chart-figure.ts'
import { colour } from './theme.ts'

/** The height of the time axis, and of the space below a plot without one, in CSS pixels. */
export const axisHeight = { last: 26, other: 4 } as const

const valueAxisWidth = 62
const font = '11px system-ui, -apple-system, "Segoe UI", sans-serif'

export interface ChartOptions {
  readonly width: number
  /** `true` for the lowest chart, which has the labels of the time axis. */
  readonly isLast: boolean
  /** Draws below the lines. */
  readonly drawBelow: (chart: UPlot) => void
  /** Called with the point below the pointer, on all charts at once; `undefined` after it has left. */
  readonly onPoint: (at: number | undefined) => void
}

/** Returns the options of uPlot for one chart, with the present colours. */
export function chartOptions(
  { spec, legends }: Figure,
  { width, isLast, drawBelow, onPoint }: ChartOptions,
): UPlot.Options {
  const axis = {
    stroke: colour('--soft'),
    grid: { stroke: colour('--grid'), width: 1 },
    ticks: { show: false },
    font,
    gap: 6,
  }
  const axisSpace = isLast ? axisHeight.last : axisHeight.other
  return {
    width,
    height: spec.height + axisSpace,
    padding: [6, 10, 0, 0],
    legend: { show: false },
    scales: {
      x: { time: false, range: (_, min, max) => [min, max] },
      y: { range: (_, _min, max) => [0, topOf(spec.unit, max)] },
    },
    axes: [
      {
        ...axis,
        size: axisSpace,
        space: 80,
        incrs: [10, 15, 30, 60],
        values: (_, seconds) => seconds.map(second => (isLast ? clock(second * 1000) : '')),
      },
      {
        ...axis,
        size: valueAxisWidth,
        space: 28,
        values: (_, values) => values.map(value => (value === 0 ? '0' : withUnit(value, spec.unit))),
      },
    ],
    series: [{}, ...legends.map(({ line, swatch }) => seriesOf(line, getComputedStyle(swatch).color))],
    bands: legends.flatMap(({ line, swatch }, index): UPlot.Band[] =>
      line.shape === 'hatch' ? [{ series: [index + 1, index], fill: hatch(getComputedStyle(swatch).color) }] : [],
    ),
    cursor: {
      y: false,
      drag: { x: false, y: false, setScale: false },
      points: { size: 6, width: 2 },
      sync: { key: 'detail' },
    },
    hooks: { drawClear: [drawBelow], setCursor: [({ cursor }) => onPoint(cursor.idx ?? undefined)] },
  }
}

function seriesOf({ label, shape }: LineSpec, stroke: string): UPlot.Series {
  return {
    label,
    stroke,
    // The hatched area has no outline: it would be a red line while nothing fails.
    width: shape === 'hatch' ? 0 : shape === 'line' ? 2 : 1.25,
    points: { show: false },
    ...(shape === 'area' ? { fill: faded(stroke, 22) } : {}),
    ...(shape === 'dashed' ? { dash: [5, 4] } : {}),
  }
}

/** Returns a colour with an opacity in percent. */
export function faded(color: string, percent: number): string {
  return `color-mix(in srgb, ${color} ${percent}%, transparent)`
}

/** Returns a pattern of diagonal lines: the failed share is visible without colours. */
function hatch(color: string): CanvasPattern | string {
  const tile = document.createElement('canvas')
  tile.width = tile.height = 8
  const pen = tile.getContext('2d')
  if (pen === null) return color
  pen.fillStyle = faded(color, 28)
  pen.fillRect(0, 0, 8, 8)
  pen.strokeStyle = color
  pen.lineWidth = 1.5
  for (const left of [-8, 0, 8]) {
    pen.moveTo(left - 1, 9)
    pen.lineTo(left + 9, -1)
  }
  pen.stroke()
  return pen.createPattern(tile, 'repeat') ?? color
}
