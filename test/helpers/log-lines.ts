import { EventEmitter } from 'node:events'
import { untilEvent } from './until.ts'

/** Returns a stream for a logger, and the lines that were written to it. */
export function logLines<Line extends object>() {
  const lines: Line[] = []
  const written = new EventEmitter()
  const write = (line: string) => {
    lines.push(JSON.parse(line) as Line)
    written.emit('line')
  }
  return {
    lines,
    stream: { write },
    /** Resolves with the first line that fits, of those that are written and those that follow. */
    line: async (fits: (line: Line) => boolean): Promise<Line> => {
      await untilEvent(written, 'line', () => lines.some(fits), { seen: () => lines })
      return lines.find(fits) as Line
    },
  }
}
