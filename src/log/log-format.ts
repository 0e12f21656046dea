import { isatty } from 'node:tty'
import { readableLine } from './readable-line.ts'

/** The form of the log: JSON lines, text for a reader, or text where stdout is a terminal and JSON elsewhere. */
export type LogFormat = 'json' | 'text' | 'auto'

/**
 * Returns the function that makes the written line of a line of JSON, or `undefined` where JSON is written. Only a
 * terminal gets colours, and only if `NO_COLOR` is not set.
 *
 * @param isTerminal - True if stdout is a terminal. @default as it is
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
