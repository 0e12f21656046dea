import { isatty } from 'node:tty'
import { readableLine } from './readable-line.ts'

/** The format of the log: JSON lines, or readable text. `auto` is text if stdout is a terminal, and JSON otherwise. */
export type LogFormat = 'json' | 'text' | 'auto'

/**
 * Returns a function that converts a line of JSON to the line that is written, or `undefined` if JSON is written. Only
 * a terminal gets colours, and only if `NO_COLOR` is not set.
 *
 * @param isTerminal - True if stdout is a terminal. @default detected
 */
export function lineFormat(
  format: LogFormat,
  { NO_COLOR: noColor = '', TERM: term }: Readonly<Record<string, string | undefined>>,
  isTerminal = isatty(1),
): ((line: string) => string) | undefined {
  if (format === 'json' || (format === 'auto' && !isTerminal)) return undefined
  const color = isTerminal && noColor === '' && term !== 'dumb'
  return line => readableLine(line, color)
}
