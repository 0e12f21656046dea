import type { WriteStream } from 'node:tty'
import { stripVTControlCharacters } from 'node:util'

/** Lines that are drawn over themselves while something goes on. */
export interface LiveView {
  /** Draws the last state, which stays, and gives the cursor back. */
  readonly end: () => void
  /** Removes the drawing, and gives the cursor back. */
  readonly remove: () => void
}

/** Twenty frames a second. */
const frameMs = 50
const hideCursor = '\x1b[?25l'
const showCursor = '\x1b[?25h'
// A frame for a width that the terminal has no longer is cut off, where broken lines would put the next one out of
// place.
const noWrap = '\x1b[?7l'
const wrap = '\x1b[?7h'
const eraseLine = '\x1b[K'
const eraseBelow = '\x1b[J'

/**
 * Draws lines on a terminal. Each frame is one write and replaces the frame before. Frames are limited in frequency.
 */
export function liveView(
  terminal: WriteStream,
  draw: (columns: number) => readonly string[],
  everyMs = frameMs,
): LiveView {
  let drawn: readonly string[] = []

  function frame(lines: readonly string[]): void {
    const up = rowsOf(drawn, terminal.columns)
    drawn = lines
    terminal.write(
      `${noWrap}${up > 0 ? `\x1b[${up}A` : ''}\r` +
        `${lines.map(line => `${line}${eraseLine}\n`).join('')}${eraseBelow}${wrap}`,
    )
  }

  /** No taller than the terminal: what has scrolled away cannot be drawn over. */
  function tick(): void {
    const lines = draw(terminal.columns)
    const most = Math.max(1, terminal.rows - 1)
    frame(lines.length <= most ? lines : lines.slice(0, most))
  }

  const restore = () => {
    terminal.write(showCursor)
  }
  process.once('exit', restore)
  terminal.on('resize', tick)
  terminal.write(hideCursor)
  tick()
  const timer = setInterval(tick, everyMs)

  function stop(lines: readonly string[]): void {
    clearInterval(timer)
    terminal.off('resize', tick)
    process.off('exit', restore)
    frame(lines)
    restore()
  }

  return {
    end: () => stop(draw(terminal.columns)),
    remove: () => stop([]),
  }
}

/** Returns the number of rows that lines occupy now. A terminal that was made narrower has wrapped longer lines. */
function rowsOf(lines: readonly string[], columns: number): number {
  return lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(stripVTControlCharacters(line).length / columns)), 0)
}
