import { paint } from '../run/paint.ts'
import type { TerminalCapabilities } from '../run/terminal-capabilities.ts'
import { formatCounts, formatMs, sparkline } from './format.ts'
import type { IntervalMetrics, LoadMetrics } from './metrics.ts'
import type { LoadOptions } from './options.ts'
import { formatLoop } from './report.ts'

/** The state of a running load test. */
export interface Progress {
  readonly options: LoadOptions
  readonly metrics: LoadMetrics
  /** Time since the start in ms, including the warm-up. */
  readonly elapsedMs: number
  readonly inFlight: number
  readonly waiting: number
  /** Metrics of the last full second. The value is `undefined` during the first second. */
  readonly lastSecond: IntervalMetrics | undefined
  /** The p99 of each of the last seconds, in ms. */
  readonly p99History: readonly number[]
}

/** Returns the phase of a load test. */
export function phaseOf({
  options: { warmUpMs, durationMs },
  elapsedMs,
}: Progress): 'warming up' | 'counting' | 'ending' {
  if (elapsedMs < warmUpMs) return 'warming up'
  return elapsedMs < warmUpMs + durationMs ? 'counting' : 'ending'
}

const labelWidth = 12
const cellWidth = 10
const tints = { whole: 'ok', partial: 'partial', other: 'ok', refused: 'partial', failed: 'failed' } as const

/** Draws the state of a load test. Every line fits a terminal that has at least 21 columns. */
export function drawScreen(progress: Progress, columns: number, { color, unicode }: TerminalCapabilities): string[] {
  const { options, metrics, elapsedMs, inFlight, waiting, lastSecond, p99History } = progress
  const {
    request: { method, url },
    warmUpMs,
    durationMs,
  } = options
  const room = Math.max(20, columns - 1)
  const phase = phaseOf(progress)
  // A cell that does not fit is omitted, because a truncated number would be a wrong number.
  const row = (name: string, cells: readonly string[]) =>
    `${name.padEnd(labelWidth)}${cells
      .slice(0, Math.floor((room - labelWidth) / cellWidth))
      .map(text => text.padStart(cellWidth))
      .join('')}`.trimEnd()
  const mark = (text: string) => paint(color, 'mark', cut(text))
  const cut = (text: string) => (text.length <= room ? text : text.slice(0, room))
  const time = `${(elapsedMs / 1000).toFixed(0)} of ${((warmUpMs + durationMs) / 1000).toFixed(0)} s, ${phase}`

  return [
    cut(`${method} ${url.href}`),
    cut(formatLoop(options)),
    '',
    cut(time.padEnd(26)) +
      bar(elapsedMs / (warmUpMs + durationMs), Math.max(0, Math.min(50, room - 27)), color, unicode),
    '',
    mark(row('', ['sent', 'answered', 'p50 ms', 'p99 ms', 'max ms'])),
    cut(
      row(
        'last second',
        lastSecond === undefined
          ? []
          : [
              String(lastSecond.sent),
              String(lastSecond.answered),
              formatMs(lastSecond.p50Ms),
              formatMs(lastSecond.p99Ms),
              formatMs(lastSecond.maxMs),
            ],
      ),
    ),
    cut(
      row('so far', [
        String(metrics.sent),
        String(metrics.answered),
        formatMs(metrics.latencyFromDue.percentileMs(50)),
        formatMs(metrics.latencyFromDue.percentileMs(99)),
        formatMs(metrics.latencyFromDue.percentileMs(100)),
      ]),
    ),
    '',
    cut(row('in flight', [String(inFlight)]) + `   waiting ${waiting}`),
    cut(
      ['p99 by s'.padEnd(labelWidth), sparkline(p99History.slice(-Math.max(1, room - labelWidth - 2)), unicode)]
        .join('  ')
        .trimEnd(),
    ),
    fit(
      room,
      'answers'.padEnd(labelWidth),
      Object.entries(metrics.replies)
        .filter(([, { count }]) => count > 0)
        .map(([reply, { count }]) => [
          `${reply} ${count}`,
          text => paint(color, tints[reply as keyof typeof tints], text),
        ]),
    ),
    cut(`${'statuses'.padEnd(labelWidth)}  ${formatCounts(metrics.statuses)}`.trimEnd()),
    fit(
      room,
      'errors'.padEnd(labelWidth),
      [...metrics.errors].map(([name, count]) => [`${name} ${count}`, text => paint(color, 'failed', text)]),
    ),
  ]
}

/** Appends texts while they fit. Measures each text before it is painted, because escape sequences have no width. */
function fit(
  room: number,
  start: string,
  texts: readonly (readonly [text: string, paint: (text: string) => string])[],
): string {
  let line = start
  let length = start.length
  for (const [text, painted] of texts) {
    length += 2 + text.length
    if (length > room) break
    line += `  ${painted(text)}`
  }
  return line.trimEnd()
}

function bar(ratio: number, width: number, color: boolean, unicode: boolean): string {
  const done = Math.round(Math.min(1, ratio) * width)
  return (
    paint(color, 'running', (unicode ? '━' : '=').repeat(done)) +
    paint(color, 'mark', (unicode ? '─' : '-').repeat(width - done))
  )
}
