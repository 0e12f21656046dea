/**
 * Returns a whole number that is within its bounds. Otherwise throws a `TypeError` that names the owner, the option and
 * the allowed values.
 */
export function wholeNumber(
  owner: string,
  option: string,
  value: number,
  { min = 1, max = 2 ** 31 - 1, unit = '' } = {},
): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value
  throw new TypeError(
    `${owner}: ${option} must be a whole number${unit && ` of ${unit}`} from ${min} to ${max}, got ${value}`,
  )
}

/**
 * Returns a number that is within its bounds. Otherwise throws a `TypeError` that names the owner, the option and the
 * allowed values.
 */
export function numberWithin(owner: string, option: string, value: number, min: number, max: number): number {
  if (typeof value === 'number' && value >= min && value <= max) return value
  throw new TypeError(`${owner}: ${option} must be a number from ${min} to ${max}, got ${value}`)
}

/** The handling of values above a limit: `error` is a failure, and `truncate` omits the values above the limit. */
export type Overflow = 'error' | 'truncate'

/**
 * Returns a valid `overflow`. Otherwise throws a `TypeError` that names the owner, the option and the allowed values.
 */
export function checkOverflow(owner: string, value: unknown): Overflow {
  if (value === 'error' || value === 'truncate') return value
  throw new TypeError(`${owner}: overflow must be 'error' or 'truncate', got '${String(value)}'`)
}
