/** Freezes a value that several callers will share, all the way down; bytes cannot be frozen and stay as they are. */
export function deepFreeze<T> (value: T): T {
  freeze(value, new Set())
  return value
}

/** A value that is frozen outside may be open inside, so only those already seen are passed over. */
function freeze (value: unknown, seen: Set<object>): void {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || seen.has(value)) return
  seen.add(value)
  Object.freeze(value)
  for (const item of Object.values(value)) freeze(item, seen)
}
