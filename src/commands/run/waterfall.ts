import { axisOf } from '../../waterfall/axis.ts'
import { rowsOf } from '../../waterfall/timeline-rows.ts'
import { drawBars, legendOf, type BarsOptions } from './draw-bars.ts'
import { callsOf, timelineOf, type RunView, type Row } from './run-view.ts'
import { summaryOf } from './run-text.ts'
import { paint } from './paint.ts'
import { hasSeveralCalls } from '../../fanout/step.ts'

export interface WaterfallOptions {
  /** The current time, in ms from the start of the run. */
  readonly now: number
  /** The width of the terminal. */
  readonly columns: number
  readonly color: boolean
  /** True if lines may be drawn with characters beyond ASCII. */
  readonly unicode: boolean
}

/** A column of text to the right of the bars. */
interface Column {
  readonly title: string
  readonly width: number
  readonly text: (row: Row) => string
}

const gap = '  '
const stateWidth = 'cancelled'.length
const shortestName = 4
const longestName = 18
const narrowest = shortestName + gap.length + stateWidth
/** The smallest width of the bars. Narrower bars are not useful, so a text column is removed first. */
const shortestBar = 16

/**
 * Draws a run as one line per step, with bars on a time axis. The axis ends at the deadline during the run, and at the
 * end of the run afterwards, or at a deadline close to it. Every line fits a terminal that has at least 16 columns.
 */
export function waterfall(view: RunView, options: WaterfallOptions): string[] {
  const { columns, color, unicode, now } = options
  // The last column stays empty, because some terminals wrap a line that fills it.
  const room = Math.max(narrowest, columns - 1)
  const names = Math.min(
    longestName,
    Math.max(shortestName, ...view.rows.map(({ name }) => name.length)),
    room - stateWidth - gap.length,
  )
  const { right, bar } = fit(view, now, room - names - gap.length - stateWidth)
  const mark = unicode ? '│' : '|'

  const line = (name: string, state: string, bars: string, rest: readonly string[]) =>
    [name, state, ...(bar === 0 ? [] : [bars]), ...rest].join(gap).trimEnd()

  const timeline = timelineOf(view, now)
  const { end, deadline } = axisOf(view.outcome === undefined ? { ...timeline, end: view.deadline } : timeline, 0)
  const optionsOf = ({ state }: Pick<Row, 'state'>): BarsOptions => ({
    end,
    deadline,
    width: bar,
    state,
    color,
    unicode,
  })
  const bars = rowsOf(timeline).map(row => row.bars)

  const head = line(
    'step'.padEnd(names),
    'state'.padEnd(stateWidth),
    axis(bar, end, deadline) + mark,
    right.map(({ title, width }) => title.padStart(width)),
  )
  const rows = view.rows.map((row, index) =>
    line(
      cut(row.name, names, unicode).padEnd(names),
      paint(color, row.state, row.state.padEnd(stateWidth)),
      drawBars(bars[index] ?? [], optionsOf(row)) + paint(color, 'mark', mark),
      right.map(({ text, width }) => text(row).padStart(width)),
    ),
  )
  const legend = bar === 0 ? '' : legendOf(bars, optionsOf({ state: 'ok' }))
  return [
    cut(`${view.name}  ${view.target}`, room, unicode),
    '',
    paint(color, 'mark', head),
    ...rows,
    ...(legend === '' ? [] : [paint(color, 'mark', cut(legend, room, unicode))]),
    '',
    cut(summaryOf(view, now), room, unicode),
  ]
}

/** Selects the text columns that fit, and returns them with the width that is left for the bars. */
function fit(view: RunView, now: number, room: number): { readonly right: readonly Column[]; readonly bar: number } {
  const ms: Column = { title: 'ms', width: 7, text: row => msOf(row, now) }
  const attempts: Column = {
    title: 'attempts',
    width: 8,
    text: row => (row.start === undefined ? '' : String(row.attempts)),
  }
  const calls: Column = {
    title: 'calls',
    width: Math.max(5, ...view.rows.map(row => callsOf(row).length)),
    text: callsOf,
  }
  const many = view.rows.some(({ kind }) => hasSeveralCalls(kind))
  for (const right of [[...(many ? [calls] : []), attempts, ms], [...(many ? [calls] : []), ms], [ms]]) {
    const bar = room - gap.length - 1 - right.reduce((sum, { width }) => sum + gap.length + width, 0)
    if (bar >= shortestBar) return { right, bar }
  }
  return room >= gap.length + ms.width ? { right: [ms], bar: 0 } : { right: [], bar: 0 }
}

/** Returns the labels of the time axis: `0` at the left end, and the last time at the right end. */
function axis(width: number, end: number, deadline: number | undefined): string {
  return `0${`${end === deadline ? String(end) : end.toFixed(1)} ms `.padStart(Math.max(0, width - 1))}`
}

/** Returns the duration of a step in ms. It has no decimals while the step runs, because they would flicker. */
function msOf({ start, end }: Row, now: number): string {
  if (start === undefined) return ''
  return end === undefined ? String(Math.max(0, Math.round(now - start))) : (end - start).toFixed(1)
}

/** Truncates a text to `width` characters. With `unicode`, a truncated text ends with `…`. */
export function cut(text: string, width: number, unicode: boolean): string {
  if (text.length <= width) return text
  return unicode ? `${text.slice(0, width - 1)}…` : text.slice(0, width)
}
