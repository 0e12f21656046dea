/** Returns a copy of a value of JSON in which each text was changed. The names of fields stay. */
export function withTexts<T>(value: T, change: (text: string) => string): T {
  return changed(value, change) as T
}

function changed(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(item => changed(item, change))
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, changed(item, change)]))
}
