/** Fields by name. A field that was received several times has a list of its values. */
export type Fields<T> = Readonly<Record<string, T | readonly T[]>>

/** Returns the fields of a query or a form, decoded. */
export function readQuery(text: string): Fields<string> {
  return fieldsOf(new URLSearchParams(text))
}

/** Returns the values of entries by name, in their order. */
export function fieldsOf<T>(entries: Iterable<readonly [name: string, value: T]>): Fields<T> {
  const fields = new Map<string, T[]>()
  for (const [name, value] of entries) {
    const values = fields.get(name)
    if (values === undefined) fields.set(name, [value])
    else values.push(value)
  }
  return Object.fromEntries(
    Array.from(fields, ([name, values]) => [name, values.length === 1 ? (values[0] as T) : values]),
  )
}
