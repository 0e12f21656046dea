import { textOf } from './json/integers.ts'

/**
 * Writes a value as text for a URL: a date as ISO 8601, a lone surrogate as U+FFFD.
 *
 * @returns nothing for a value that has no one way to be written: an object, a list, a number that is not finite, an
 * invalid date
 */
export function urlText(value: unknown): string | undefined {
  if (typeof value === 'string') return value.toWellFormed()
  if (typeof value === 'number') return Number.isFinite(value) ? textOf(value) : undefined
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  return value instanceof Date && !Number.isNaN(value.getTime()) ? value.toISOString() : undefined
}
