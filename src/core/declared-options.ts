/** The largest number of groups around an option: `balance.ejection.duration` is in two. */
const mostGroups = 2

/** The names of the options that declarations were given, by the checked declaration. */
const declared = new WeakMap<object, ReadonlySet<string>>()

/**
 * Keeps the names of the options that a declaration was given, and those of the options within them: `retry`,
 * `retry.maxAttempts`. The checked declaration has the defaults too, and cannot tell them apart.
 *
 * @returns The checked declaration.
 */
export function withDeclared<T extends object>(checked: T, options: object): T {
  declared.set(checked, new Set(namesOf(options)))
  return checked
}

/** Returns whether a declaration was given an option, such as `retry.maxAttempts`. */
export function isDeclared(checked: object, option: string): boolean {
  return declared.get(checked)?.has(option) === true
}

function namesOf(options: object, depth = 0): string[] {
  return Object.entries(options).flatMap(([name, value]: [string, unknown]) => {
    if (value === undefined) return []
    const isGroup = typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
    return isGroup && depth < mostGroups
      ? [name, ...namesOf(value, depth + 1).map(inner => `${name}.${inner}`)]
      : [name]
  })
}
