import { lookOf, type Bar } from '../../waterfall/bars.ts'
import { paint } from './paint.ts'
import type { Row } from './run-view.ts'

export interface BarsOptions {
  /** The last time on the axis, in ms. */
  readonly end: number
  /** The deadline, if it is on the axis, in ms. */
  readonly deadline: number | undefined
  /** The number of characters of the axis. */
  readonly width: number
  readonly state: Row['state']
  readonly color: boolean
  readonly unicode: boolean
}

/** The looks of the characters of a row. A character has one look, and later bars cover earlier ones. */
type Look = 'own' | 'wait' | 'attempt' | 'hedge' | 'failed' | 'cancelled' | 'deadline' | 'empty'

const drawn: Readonly<Record<Look, { readonly unicode: string; readonly ascii: string }>> = {
  empty: { unicode: ' ', ascii: ' ' },
  own: { unicode: '─', ascii: '-' },
  wait: { unicode: '┄', ascii: '.' },
  attempt: { unicode: '━', ascii: '=' },
  hedge: { unicode: '═', ascii: '#' },
  failed: { unicode: '!', ascii: '!' },
  cancelled: { unicode: '×', ascii: 'x' },
  deadline: { unicode: '│', ascii: '|' },
}

const words = {
  own: 'own work',
  wait: 'wait',
  attempt: 'attempt',
  hedge: 'hedge',
  failed: 'failed',
  cancelled: 'cancelled',
} as const

/** Draws the bars of a row with one character per part of the axis. A bar has at least one character. */
export function drawBars(bars: readonly Bar[], options: BarsOptions): string {
  const { state, color, unicode } = options
  let text = ''
  let part = ''
  let last: Look = 'empty'
  for (const look of [...looksOf(bars, options), undefined]) {
    if (look !== last) {
      text += paint(color, tintOf(last, state), part)
      part = ''
    }
    if (look === undefined) break
    part += unicode ? drawn[look].unicode : drawn[look].ascii
    last = look
  }
  return text
}

/** Returns the characters of rows with their meanings, for the looks that a reader cannot know from the columns. */
export function legendOf(rows: readonly (readonly Bar[])[], options: BarsOptions): string {
  const used = new Set(rows.flatMap(bars => looksOf(bars, options)))
  if (!(['wait', 'hedge', 'failed', 'cancelled'] as const).some(look => used.has(look))) return ''
  return (Object.keys(words) as (keyof typeof words)[])
    .filter(look => used.has(look))
    .map(look => `${options.unicode ? drawn[look].unicode : drawn[look].ascii} ${words[look]}`)
    .join('  ')
}

function looksOf(bars: readonly Bar[], { end, deadline, width }: BarsOptions): Look[] {
  const looks = Array.from<Look>({ length: width }).fill('empty')
  const cell = (ms: number) => (ms / end) * width
  const deadlineAt = deadline === undefined ? width : Math.floor(cell(deadline))
  // The last character of the axis has the end of the axis beside it.
  if (deadlineAt < width - 1) looks[deadlineAt] = 'deadline'
  const start = bars[0]?.from ?? 0
  const places = bars.map(bar => {
    // A call that starts at once begins with its step, although a character may end between their starts.
    const isAtOnce = cell(bar.from - start) < 0.5
    const from = Math.min(width - 1, Math.floor(cell(isAtOnce ? start : bar.from)))
    return { bar, from, to: Math.min(width, Math.max(from + 1, Math.round(cell(bar.to)))) }
  })
  for (const { bar, from, to } of places) looks.fill(lineOf(bar), from, to)
  // The end of an attempt has a mark if the attempt stays visible beside it.
  for (const { bar, from, to } of places) {
    const mark = lookOf(bar)
    if (to - from <= 1 || (mark !== 'failed' && mark !== 'cancelled')) continue
    // The answer of another call at the same time covers a cancel, as in a firstOf.
    const isCovered = mark === 'cancelled' && places.some(other => other.to >= to && isAnswer(other.bar))
    if (!isCovered) looks[to - 1] = mark
  }
  return looks
}

function isAnswer(bar: Bar): boolean {
  return (bar.kind === 'attempt' || bar.kind === 'hedge') && bar.end === 'answered'
}

function lineOf({ kind }: Bar): Look {
  return kind === 'fault' ? 'wait' : kind
}

function tintOf(look: Look, state: Row['state']): Parameters<typeof paint>[1] {
  if (look === 'attempt' || look === 'hedge') return state
  return look === 'failed' ? 'failed' : 'mark'
}
