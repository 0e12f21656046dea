import type { WriteStream } from 'node:tty'
import { stripVTControlCharacters } from 'node:util'

/** A drawing on a terminal that is updated in place. */
export interface LiveView {
  /** Calls a function that writes lines to the terminal. The lines stay above the drawing. */
  readonly above: (write: () => void) => void
  /** Draws the last frame, leaves it on the terminal and shows the cursor. */
  readonly end: () => void
  /** Erases the drawing and shows the cursor. */
  readonly remove: () => void
}

/** 20 frames per second. */
const frameMs = 50
const hideCursor = '\x1b[?25l'
const showCursor = '\x1b[?25h'
// A terminal that has become narrower may receive a frame for its old width. Wrapped lines would move the next frame to
// the wrong row. Without wrapping, the terminal truncates the lines.
const noWrap = '\x1b[?7l'
const wrap = '\x1b[?7h'
const eraseLine = '\x1b[K'
const eraseBelow = '\x1b[J'

/**
 * Draws lines on a terminal every `everyMs` ms and after a resize. Each frame is one write and replaces the previous
 * frame.
 *
 * @param draw - Returns the lines of a frame for a terminal of this width.
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

  /** Draws at most as many lines as fit on the terminal, because a line that has scrolled away cannot be replaced. */
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
    above(write) {
      frame([])
      write()
      tick()
    },
    end: () => stop(draw(terminal.columns)),
    remove: () => stop([]),
  }
}

/** Returns the number of terminal rows that lines occupy. A terminal that becomes narrower wraps long lines. */
function rowsOf(lines: readonly string[], columns: number): number {
  return lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(stripVTControlCharacters(line).length / columns)), 0)
}
