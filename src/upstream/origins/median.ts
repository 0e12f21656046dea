/** Returns the median of numbers, of an even count the lower one of the two in the middle. */
export function median(values: readonly number[]): number | undefined {
  return values.toSorted((one, other) => one - other)[(values.length - 1) >> 1]
}
