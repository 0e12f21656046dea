/** Throws a `TypeError` that names the owner and the parameter, if one of the values is not a function. */
export function checkFunctions(owner: string, values: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(values))
    if (typeof value !== 'function') throw new TypeError(`${owner}: ${name} must be a function, got ${String(value)}`)
}
