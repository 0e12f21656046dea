import { paint } from '../run/paint.ts'
import type { TerminalCapabilities } from '../run/terminal-capabilities.ts'
import { countsText, msText } from './figures.ts'
import { phaseOf, type Progress } from './progress.ts'
import { loopText } from './report.ts'
import { sparkline } from './sparkline.ts'

const label = 12
const cell = 10
const tints = { whole: 'ok', partial: 'partial', other: 'ok', refused: 'partial', failed: 'failed' } as const

/** Draws how a run stands, in lines that are shorter than the terminal is wide. */
export function screenOf(progress: Progress, columns: number, { color, unicode }: TerminalCapabilities): string[] {
  const { options, tally, elapsedMs, inFlight, waiting, second, history } = progress
  const {
    question: { method, url },
    warmUpMs,
    durationMs,
  } = options
  const room = Math.max(20, columns - 1)
  const phase = phaseOf(progress)
  // A number that is cut off is another number.
  const row = (name: string, cells: readonly string[]) =>
    `${name.padEnd(label)}${cells
      .slice(0, Math.floor((room - label) / cell))
      .map(text => text.padStart(cell))
      .join('')}`.trimEnd()
  const mark = (text: string) => paint(color, 'mark', cut(text))
  const cut = (text: string) => (text.length <= room ? text : text.slice(0, room))
  const time = `${(elapsedMs / 1000).toFixed(0)} of ${((warmUpMs + durationMs) / 1000).toFixed(0)} s, ${phase}`

  return [
    cut(`${method} ${url.href}`),
    cut(loopText(options)),
    '',
    cut(time.padEnd(26)) +
      bar(elapsedMs / (warmUpMs + durationMs), Math.max(0, Math.min(50, room - 27)), color, unicode),
    '',
    mark(row('', ['sent', 'answered', 'p50 ms', 'p99 ms', 'max ms'])),
    cut(
      row(
        'last second',
        second === undefined
          ? []
          : [
              String(second.sent),
              String(second.answered),
              msText(second.p50Ms),
              msText(second.p99Ms),
              msText(second.maxMs),
            ],
      ),
    ),
    cut(
      row('so far', [
        String(tally.sent),
        String(tally.answered),
        msText(tally.fromDue.atMs(50)),
        msText(tally.fromDue.atMs(99)),
        msText(tally.fromDue.atMs(100)),
      ]),
    ),
    '',
    cut(row('in flight', [String(inFlight)]) + `   waiting ${waiting}`),
    cut(`${'p99 by s'.padEnd(label)}  ${sparkline(history.slice(-Math.max(1, room - label - 2)), unicode)}`.trimEnd()),
    fit(
      room,
      'answers'.padEnd(label),
      Object.entries(tally.replies)
        .filter(([, { count }]) => count > 0)
        .map(([reply, { count }]) => [
          `${reply} ${count}`,
          text => paint(color, tints[reply as keyof typeof tints], text),
        ]),
    ),
    cut(`${'statuses'.padEnd(label)}  ${countsText(tally.statuses)}`.trimEnd()),
    fit(
      room,
      'errors'.padEnd(label),
      [...tally.failures].map(([name, count]) => [`${name} ${count}`, text => paint(color, 'failed', text)]),
    ),
  ]
}

/** As many texts as there is room for, each painted after it was measured. */
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

function bar(share: number, width: number, color: boolean, unicode: boolean): string {
  const done = Math.round(Math.min(1, share) * width)
  return (
    paint(color, 'running', (unicode ? '━' : '=').repeat(done)) +
    paint(color, 'mark', (unicode ? '─' : '-').repeat(width - done))
  )
}
