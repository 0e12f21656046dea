import { timeText, type Axis } from '../../waterfall/axis.ts'
import { lookOf, type Bar } from '../../waterfall/bars.ts'
import { markText } from '../../waterfall/sentences.ts'
import type { TimelineRow } from '../../waterfall/timeline-rows.ts'
import { drawing, element } from './dom.ts'

const laneHeight = 13
const barHeight = 9
const padding = 5

/** The meanings of the looks of bars, in the order of the legend. */
const meanings = {
  wait: 'waits',
  answered: 'attempt',
  hedge: 'hedge',
  failed: 'failed attempt',
  cancelled: 'cancelled',
  outrun: 'slower attempt, cancelled',
  open: 'attempt without an end',
  fault: 'rehearsed delay',
  own: 'own work',
} as const

/** Draws the bars of a row. Their places are shares of the width, so that the drawing follows the width of the page. */
export function drawnBars({ bars, lanes, marks }: TimelineRow, axis: Axis): SVGSVGElement {
  const height = lanes * laneHeight - (laneHeight - barHeight) + 2 * padding
  const plot = drawing('svg', {
    class: 'fall-plot',
    height: String(height),
    'aria-hidden': 'true',
    focusable: 'false',
  })
  const { end, ticks, deadline } = axis
  for (const tick of ticks) plot.append(line('fall-tick', tick / end, height))
  for (const bar of bars) plot.append(...drawnBar(bar, end))
  if (deadline !== undefined) plot.append(line('fall-deadline', deadline / end, height))
  for (const mark of marks) {
    const place = drawing('svg', { x: percent(mark.at / end), y: '0', overflow: 'visible' })
    const sign = drawing('path', { class: 'fall-mark', d: `M0 ${padding - 4}l4 4l-4 4l-4-4Z` })
    sign.append(title(markText(mark)))
    place.append(sign)
    plot.append(place)
  }
  return plot
}

function drawnBar(bar: Bar, end: number): SVGElement[] {
  const look = lookOf(bar)
  const top = padding + bar.lane * laneHeight
  const isThin = look === 'own'
  const shape = drawing('rect', {
    class: 'fall-bar',
    'data-look': look,
    'data-from': String(bar.from),
    'data-to': String(bar.to),
    x: percent(bar.from / end),
    y: String(isThin ? top + barHeight / 2 - 1 : top),
    width: percent((bar.to - bar.from) / end),
    height: String(isThin ? 2 : barHeight),
  })
  // A bar that is shorter than a pixel is still seen.
  shape.style.width = `max(2px, ${percent((bar.to - bar.from) / end)})`
  shape.append(title(`${meaningOf(bar)}: ${timeText(bar.to - bar.from)}, from ${timeText(bar.from)}`))
  if (look !== 'failed' && look !== 'cancelled') return [shape]
  // The end of an attempt without an answer has a form of its own, so that it is visible without colours.
  const place = drawing('svg', { x: percent(bar.to / end), y: String(top), overflow: 'visible' })
  const sign = look === 'failed' ? 'M-3.5 1l7 7m0-7l-7 7' : 'M0-2v13'
  if (look === 'failed') place.append(drawing('path', { class: 'fall-halo', d: sign }))
  place.append(drawing('path', { class: 'fall-end', 'data-look': look, d: sign }))
  return [shape, place]
}

function meaningOf(bar: Bar): string {
  if (bar.kind === 'wait') return `waits (${bar.reason})`
  return meanings[lookOf(bar)]
}

function line(name: string, share: number, height: number): SVGElement {
  const x = percent(share)
  return drawing('line', { class: name, x1: x, x2: x, y1: '0', y2: String(height) })
}

function title(text: string): SVGElement {
  const created = drawing('title')
  created.textContent = text
  return created
}

function percent(share: number): string {
  return `${share * 100}%`
}

/** Creates the legend of the looks that the rows have. */
export function legend(rows: readonly TimelineRow[]): HTMLElement {
  const used = new Set(rows.flatMap(({ bars }) => bars.map(lookOf)))
  const list = element('ul', { class: 'fall-legend', attributes: { 'aria-hidden': 'true' } })
  for (const [look, meaning] of Object.entries(meanings)) {
    if (!used.has(look as keyof typeof meanings)) continue
    const sample = drawing('svg', { class: 'fall-sample', width: '22', height: '13' })
    const isThin = look === 'own'
    const bar = { class: 'fall-bar', 'data-look': look, x: '1', width: '20' }
    sample.append(drawing('rect', { ...bar, y: isThin ? '5.5' : '2', height: isThin ? '2' : String(barHeight) }))
    list.append(element('li', {}, sample, meaning))
  }
  if (rows.some(({ marks }) => marks.length > 0)) {
    const sign = drawing('path', { class: 'fall-mark', d: 'M6 2l4 4l-4 4l-4-4Z' })
    list.append(
      element(
        'li',
        {},
        drawing('svg', { class: 'fall-sample', width: '12', height: '12' }, sign),
        'refused or not sent',
      ),
    )
  }
  return list
}

/** Creates the patterns with which bars are filled. */
export function patterns(): SVGSVGElement {
  const stripes = (id: string, turn: number) =>
    drawing(
      'pattern',
      { id, width: '5', height: '5', patternUnits: 'userSpaceOnUse', patternTransform: `rotate(${turn})` },
      drawing('rect', { class: `${id}-ground`, width: '5', height: '5' }),
      drawing('rect', { class: `${id}-stripe`, width: '2', height: '5' }),
    )
  return drawing(
    'svg',
    { class: 'fall-patterns', width: '0', height: '0', 'aria-hidden': 'true', focusable: 'false' },
    drawing('defs', {}, stripes('fall-wait', 45), stripes('fall-fault', -45)),
  )
}
