import { readHttpDate } from '../../core/http-date.ts'

/**
 * Reads a `Retry-After` header (RFC 9110, section 10.2.3): seconds in digits, or an HTTP date.
 *
 * @returns The time from `nowMs` in ms, at least 0 and without an upper bound; `undefined` for any other text.
 */
export function readRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined
  const text = value.trim()
  if (/^\d+$/.test(text)) return Number(text) * 1000
  const dateMs = readHttpDate(text, nowMs)
  return dateMs === undefined ? undefined : Math.max(0, dateMs - nowMs)
}
