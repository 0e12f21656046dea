import type { Fault } from '../../errors.ts'

/**
 * The smallest deadline that a caller can set, in ms. A run that ends before its upstreams can reply costs them one
 * connection per call.
 */
const minDeadline = 10

/** Adds a fault for percent-encoding that is not valid UTF-8. The query parser would read it as text. */
export function checkQuery(url: string, faults: Fault[]): void {
  const at = url.indexOf('?')
  if (at === -1 || !url.includes('%', at)) return
  try {
    decodeURIComponent(url.slice(at + 1))
  } catch {
    faults.push({ pointer: '/query', reason: 'is not valid percent-encoded UTF-8' })
  }
}

/**
 * Returns the deadline of the `x-request-timeout-ms` header, in ms and at least `minDeadline`. It can shorten the
 * aggregate's deadline and cannot extend it.
 */
export function deadlineOf(value: string | string[] | undefined, faults: Fault[]): number | undefined {
  if (value === undefined) return undefined
  // A caller that sends its remaining time may send a negative number.
  if (typeof value === 'string' && /^-?\d{1,9}$/.test(value)) return Math.max(minDeadline, Number(value))
  faults.push({
    pointer: '/headers/x-request-timeout-ms',
    reason: 'must be a whole number of milliseconds with at most 9 digits',
  })
  return undefined
}
