import type { FastifyBaseLogger } from 'fastify'
import type { OriginChange } from '../../upstream/runtime.ts'

/** The length of a window, in ms, and the largest number of lines in it. */
const windowMs = 10_000
const maxLines = 50

/**
 * Returns a function that logs the changes of origins. A deployment, or an outage, changes many origins at once, so the
 * number of lines has a limit. The next line after it has the number of changes that were skipped.
 */
export function logOrigins(
  logOf: () => FastifyBaseLogger,
  now = () => performance.now(),
): (change: OriginChange) => void {
  let windowEnds = -Infinity
  let lines = 0
  let skipped = 0

  return ({ upstream, origin, state }) => {
    const at = now()
    if (at >= windowEnds) {
      windowEnds = at + windowMs
      lines = 0
    }
    if (lines === maxLines) {
      skipped++
      return
    }
    lines++
    const fields = { upstream, origin, ...(skipped > 0 && { skipped }) }
    skipped = 0
    const log = logOf()
    switch (state) {
      case 'ejected':
        return log.warn(fields, 'origin ejected')
      case 'unhealthy':
        return log.warn(fields, 'origin unhealthy')
      case 'available':
        return log.info(fields, 'origin available')
      case 'added':
        return log.info(fields, 'origin added')
      case 'removed':
        return log.info(fields, 'origin removed')
    }
  }
}
