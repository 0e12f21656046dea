/** Returns an array with room for a number of elements: the given one, or a larger copy. */
export function grown<T extends Float64Array | Uint8Array>(array: T, length: number): T {
  if (length <= array.length) return array
  const larger = new (array.constructor as new (length: number) => T)(length * 2)
  larger.set(array)
  return larger
}
