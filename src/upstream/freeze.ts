/** Freezes a value that several callers will share, all the way down; bytes cannot be frozen and stay as they are. */
export function deepFreeze<T> (value: T): T {
  const seen = new Set<object>()
  const open: unknown[] = [value]
  while (open.length > 0) {
    const next = open.pop()
    // One that is frozen outside may be open inside, so only those already seen are passed over.
    if (typeof next !== 'object' || next === null || ArrayBuffer.isView(next) || seen.has(next)) continue
    seen.add(Object.freeze(next))
    for (const item of Object.values(next)) open.push(item)
  }
  return value
}
