/** The names of all options of a type: one that is forgotten here does not compile. */
export type OptionKeys<T> = Readonly<Record<keyof T, true>>

/** Refuses options that do not exist: a file of definitions runs without anybody having checked its types. */
export function rejectUnknownOptions(
  owner: string,
  given: object,
  known: Readonly<Record<string, true>>,
  group?: string,
): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new TypeError(
      `${owner}: ${group ?? 'its options'} must be an object with some of ${Object.keys(known).join(', ')}`,
    )
  }
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(known, name)) continue
    const path = group === undefined ? name : `${group}.${name}`
    throw new TypeError(`${owner}: there is no option '${path}'; there are ${Object.keys(known).join(', ')}`)
  }
}
