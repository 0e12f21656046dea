/**
 * `isUsed` is true once the process has read an integer that `JSON.stringify` would round, such as 2^60, which it
 * writes as 1152921504606847000. Until then written values are not searched for bigints.
 */
export const bigintMode = { isUsed: false }

/**
 * Returns whether a number is doubtful: it may be the rounded value of another integer, because its magnitude is 2^53
 * or more, or it is not finite.
 */
export function isDoubtful(value: number): boolean {
  return !(value < 9_007_199_254_740_992 && value > -9_007_199_254_740_992)
}

/** Returns whether a double holds an integer exactly and can be written with its digits again. */
export function holds(integer: bigint): boolean {
  const double = Number(integer)
  if (!Number.isFinite(double) || BigInt(double) !== integer) return false
  // From 1e21 on JavaScript writes an exponent, and the digits before it are rounded.
  return Math.abs(double) < 1e21 || writesAs(double) === integer
}

/** Returns whether a double holds an integer exactly and JavaScript writes it with the same digits. */
export function prints(integer: bigint): boolean {
  const double = Number(integer)
  const size = Math.abs(double)
  if (!Number.isFinite(double)) return false
  // Up to 2^54 doubles are at most 2 apart, so JavaScript writes all digits of the double, and comparing texts takes
  // longer.
  if (size <= 18_014_398_509_481_984) return BigInt(double) === integer
  return size < 1e21 ? String(double) === String(integer) : writesAs(double) === integer
}

/** Returns the integer that the text of a whole number from 2^53 on denotes. */
function writesAs(double: number): bigint {
  const [digits = '', exponent = '0'] = String(double).split('e+')
  const [whole = '', fraction = ''] = digits.split('.')
  return BigInt(whole + fraction + '0'.repeat(Number(exponent) - fraction.length))
}

/** Returns a number as text, with all digits of a whole number below 1e21. */
export function textOf(value: number): string {
  return Number.isSafeInteger(value) || !Number.isInteger(value) || Math.abs(value) >= 1e21
    ? String(value)
    : BigInt(value).toString()
}

/**
 * Returns true for a value that contains a doubtful number, and for a bigint. It does not recurse, because an upstream
 * chooses the depth of its JSON.
 */
export function hasDoubtful(value: unknown): boolean {
  if (typeof value === 'number') return isDoubtful(value)
  if (typeof value === 'bigint') return true
  if (typeof value !== 'object' || value === null) return false
  const open: object[] = [value]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    // Do not iterate over a list with for-in: it takes ten times as long.
    if (Array.isArray(next)) {
      for (const item of next) if (isDoubtfulItem(item, open)) return true
    } else {
      for (const key in next) if (isDoubtfulItem((next as Readonly<Record<string, unknown>>)[key], open)) return true
    }
  }
  return false
}

/** Returns whether an item is a doubtful number. Adds a list or an object to `later`. */
function isDoubtfulItem(item: unknown, later: object[]): boolean {
  if (typeof item === 'number') return isDoubtful(item)
  if (typeof item === 'object' && item !== null) later.push(item)
  return false
}
