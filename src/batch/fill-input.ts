/**
 * Returns an input in which values replace references. Lists and objects on the way to a reference are copied; all
 * others are those of the input.
 *
 * @param values The values, by the object of the reference.
 */
export function fillInput(input: unknown, values: ReadonlyMap<object, unknown>): unknown {
  if (values.size === 0 || typeof input !== 'object' || input === null) return input
  if (values.has(input)) return values.get(input)
  let copy: object | undefined
  for (const key of Array.isArray(input) ? input.keys() : Object.keys(input)) {
    const value = (input as Readonly<Record<PropertyKey, unknown>>)[key]
    const filled = fillInput(value, values)
    if (filled === value) continue
    copy ??= Array.isArray(input) ? [...(input as unknown[])] : { ...input }
    // An assignment to `__proto__` would set the prototype.
    Object.defineProperty(copy, key, { value: filled, writable: true, enumerable: true, configurable: true })
  }
  return copy ?? input
}
