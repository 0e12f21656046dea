/**
 * Returns whether a JSON value has more items of lists and fields of objects than `most`, all together. Needs no
 * recursion, and ends for cyclic values too.
 */
export function holdsMore(value: unknown, most: number): boolean {
  const open = [value]
  let values = 0
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next !== 'object' || next === null) continue
    if (Array.isArray(next)) {
      values += next.length
      if (values > most) return true
      for (const item of next) if (typeof item === 'object') open.push(item)
    } else {
      for (const key in next) {
        if (++values > most) return true
        const item = (next as Readonly<Record<string, unknown>>)[key]
        if (typeof item === 'object') open.push(item)
      }
    }
  }
  return false
}
