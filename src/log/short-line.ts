import { bounded } from './bounded.ts'
import { cut, longest } from './cut.ts'

/** The longest line, in characters. */
export const longestLine = 16 * 1024

/**
 * Returns the line, or a shorter version of a line that is longer than `longestLine`. Its texts and lists are cut. If
 * that is not enough, fields are omitted.
 */
export function shortLine(line: string): string {
  if (line.length <= longestLine) return line
  try {
    const fields = JSON.parse(line) as Record<string, unknown>
    const shorter = JSON.stringify(bounded(fields))
    if (shorter.length < longestLine) return `${shorter}\n`
    const { level, time, pid, hostname, worker, reqId, msg } = fields
    const rest = { msg: cut(String(msg), longest), cut: `a line of ${line.length} characters` }
    return `${JSON.stringify({ level, time, pid, hostname, worker, reqId, ...rest })}\n`
  } catch {
    const msg = 'log line could not be shortened'
    return `${JSON.stringify({ level: 50, time: Date.now(), msg, length: line.length })}\n`
  }
}
