import { bounded } from './bounded.ts'
import { cut, longest } from './cut.ts'

/** The longest line, in characters. */
export const longestLine = 16 * 1024

/**
 * Returns the line, or a shorter one with the same fields where it is longer than `longestLine`: its texts and lists
 * are cut, and if that is not enough, fields are left out.
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
