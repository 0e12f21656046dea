import { callsOf, type RunView, type Row } from './run-view.ts'
import { summaryOf } from './run-text.ts'
import { paint } from './paint.ts'

export interface WaterfallOptions {
  /** The moment that is drawn, in ms from the run's start. */
  readonly now: number
  /** Columns of the terminal. */
  readonly columns: number
  readonly color: boolean
  /** True if lines may be drawn with characters beyond ASCII. */
  readonly unicode: boolean
}

/** One column of text beside the bars. */
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
/** The least time that an axis shows, in ms. */
const shortestAxis = 0.1
/** A shorter bar says too little for its room. */
const shortestBar = 16

/**
 * Draws a run: a line per step with a bar on a time axis. The axis ends at the deadline while the run goes on, and at
 * the end of the run after it. No line is longer than the terminal is wide.
 */
export function waterfall(view: RunView, options: WaterfallOptions): string[] {
  const { columns, color, unicode, now } = options
  // The last column stays free: some terminals break the line after it.
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

  const head = line(
    'step'.padEnd(names),
    'state'.padEnd(stateWidth),
    axis(bar, view) + mark,
    right.map(({ title, width }) => title.padStart(width)),
  )
  const rows = view.rows.map(row =>
    line(
      cut(row.name, names, unicode).padEnd(names),
      paint(color, row.state, row.state.padEnd(stateWidth)),
      paint(color, row.state, barOf(row, view, now, bar, unicode)) + paint(color, 'mark', mark),
      right.map(({ text, width }) => text(row).padStart(width)),
    ),
  )
  return [
    cut(`${view.name}  ${view.target}`, room, unicode),
    '',
    paint(color, 'mark', head),
    ...rows,
    '',
    cut(summaryOf(view, now), room, unicode),
  ]
}

/** The columns that the room allows, and what is left of it for the bar. */
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
  const many = view.rows.some(({ kind }) => kind === 'each' || kind === 'firstOf')
  for (const right of [[...(many ? [calls] : []), attempts, ms], [...(many ? [calls] : []), ms], [ms]]) {
    const bar = room - gap.length - 1 - right.reduce((sum, { width }) => sum + gap.length + width, 0)
    if (bar >= shortestBar) return { right, bar }
  }
  return room >= gap.length + ms.width ? { right: [ms], bar: 0 } : { right: [], bar: 0 }
}

/** `0` at the left end, and the time at the right end before its mark. */
function axis(width: number, { deadline, outcome }: RunView): string {
  const end = outcome === undefined ? String(deadline) : outcome.at.toFixed(1)
  return `0${`${end} ms `.padStart(Math.max(0, width - 1))}`
}

function barOf(
  { start, end }: Row,
  { deadline, outcome }: RunView,
  now: number,
  width: number,
  unicode: boolean,
): string {
  if (start === undefined || width === 0) return ' '.repeat(width)
  const cell = (ms: number) => (ms / Math.max(outcome?.at ?? deadline, shortestAxis)) * width
  const from = Math.min(width - 1, Math.floor(cell(start)))
  const to = Math.min(width, Math.max(from + 1, Math.round(cell(end ?? outcome?.at ?? now))))
  return ' '.repeat(from) + (unicode ? '━' : '=').repeat(to - from) + ' '.repeat(width - to)
}

/** Whole while it runs, since more would only flicker. */
function msOf({ start, end }: Row, now: number): string {
  if (start === undefined) return ''
  return end === undefined ? String(Math.max(0, Math.round(now - start))) : (end - start).toFixed(1)
}

/** Returns a text of at most `width` characters; one that was cut ends with `…`, or without Unicode at the cut. */
export function cut(text: string, width: number, unicode: boolean): string {
  if (text.length <= width) return text
  return unicode ? `${text.slice(0, width - 1)}…` : text.slice(0, width)
}
