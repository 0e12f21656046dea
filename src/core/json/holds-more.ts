/**
 * Returns whether a JSON value has more items of lists and fields of objects than `most`, all together. Needs no
 * recursion, and ends for cyclic values too.
 */
export function exceedsValueCount(value: unknown, most: number): boolean {
  const open = [value]
  let values = 0
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next !== 'object' || next === null) continue
    // The names of a large object take half the time of its values.
    const keys = Array.isArray(next) ? undefined : Object.keys(next)
    values += keys?.length ?? (next as readonly unknown[]).length
    if (values > most) return true
    for (const item of keys === undefined ? (next as readonly unknown[]) : Object.values(next))
      if (typeof item === 'object') open.push(item)
  }
  return false
}
