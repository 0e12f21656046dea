/**
 * Reads a `Retry-After` header (RFC 9110, section 10.2.3): seconds in digits, or an HTTP date.
 * Returns ms from `nowMs`, at least 0, or `undefined` when it says neither.
 */
export function readRetryAfter (value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined
  const text = value.trim()
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000
  // Date.parse takes far more than the three date forms of RFC 9110; all of those begin with a day's name.
  if (!/^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(text)) return undefined
  // The asctime form names no zone, and is in GMT like the others.
  const dateMs = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`)
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - nowMs)
}
