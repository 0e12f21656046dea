import { readHttpDate } from '../http-date.ts'
import { inexact, tooLarge } from '../json/number-fault.ts'

/** The result for a text that is refused for a reason that the schema does not know. */
export class Unreadable {
  readonly reason: string

  constructor(reason: string) {
    this.reason = reason
  }
}

/** A number in the syntax of JSON, also with leading zeros. */
const numberText = /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i
const integerText = /^-?\d+$/
/** A year, month, day or moment of ISO 8601. */
const isoText = /^\d{4}(?:-\d\d(?:-\d\d(?:T.+)?)?)?$/

/** Returns the number that a text represents, and NaN for any other text, such as ``, ` `, `0x10` and `Infinity`. */
function readNumber(value: unknown): unknown {
  if (typeof value !== 'string') return value
  const number = Number(value)
  if (Number.isSafeInteger(number) && String(number) === value) return number
  if (!numberText.test(value)) return Number.NaN
  if (!Number.isFinite(number)) return new Unreadable(tooLarge)
  const isExact = !integerText.test(value) || Number.isSafeInteger(number) || BigInt(value) === BigInt(number)
  return isExact ? number : new Unreadable(inexact)
}

function readBigint(value: unknown): unknown {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value)
  if (typeof value !== 'string') return value
  if (integerText.test(value)) return BigInt(value)
  return numberText.test(value) ? new Unreadable('must be a whole number') : Number.NaN
}

/**
 * Reads an ISO 8601 date or an HTTP date. Refuses other numeric texts, and days that the month does not have, because
 * `Date` would convert them to another date.
 */
function readDate(value: unknown): unknown {
  if (typeof value === 'number') return new Date(value)
  if (typeof value !== 'string') return value
  if (!isoText.test(value)) return new Date(readHttpDate(value) ?? Number.NaN)
  const day = /^\d{4}-\d\d-\d\d/.exec(value)?.[0]
  const isInMonth = day === undefined || new Date(`${day}T00:00:00Z`).toJSON()?.startsWith(day) === true
  return new Date(isInMonth ? value : Number.NaN)
}

function readString(value: unknown): unknown {
  return typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint' ? String(value) : value
}

/**
 * Functions that convert a text to the type that `z.coerce` names. A list and a missing value are not converted, so the
 * schema refuses them.
 */
export const readers: Readonly<Record<string, ((value: unknown) => unknown) | undefined>> = {
  number: readNumber,
  bigint: readBigint,
  date: readDate,
  string: readString,
}

/** Returns a list with a text as its only item, and any other value unchanged. */
export function readList(value: unknown): unknown {
  return typeof value === 'string' ? [value] : value
}
