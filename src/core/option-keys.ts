/** The names of all options of a type: a name that is missing here does not compile. */
export type OptionKeys<T> = Readonly<Record<keyof T, true>>

/** The new names of options by their old names; several where one option became several. */
export type RenamedOptions = Readonly<Record<string, string | readonly string[]>>

interface KeyCheck {
  /** The option that holds these options, for example `retry`. @default none */
  readonly group?: string
  /** Options that had another name. @default {} */
  readonly renamed?: RenamedOptions
}

/**
 * Refuses options that do not exist with a `TypeError`, which contains the new name for an old name of an option. This
 * check is necessary because definitions run without a type check.
 */
export function rejectUnknownOptions(
  owner: string,
  given: object,
  known: Readonly<Record<string, true>>,
  { group, renamed = {} }: KeyCheck = {},
): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new TypeError(
      `${owner}: ${group ?? 'its options'} must be an object with some of ${Object.keys(known).join(', ')}`,
    )
  }
  rejectRenamedOptions(owner, given, renamed, group)
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(known, name)) continue
    throw new TypeError(`${owner}: unknown option '${within(group, name)}': use ${Object.keys(known).join(', ')}`)
  }
}

/** Refuses options by their old names with a `TypeError` that gives the new name; other names are not checked. */
export function rejectRenamedOptions(owner: string, given: object, renamed: RenamedOptions, group?: string): void {
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(renamed, name)) continue
    const names = [renamed[name] ?? []].flat().map(each => `'${within(group, each)}'`)
    throw new TypeError(`${owner}: the option '${within(group, name)}' was renamed to ${names.join(' and ')}`)
  }
}

/** Refuses options of a runtime that are given beside a runtime, with a `TypeError`; `undefined` is not given. */
export function rejectOptionsBesideRuntime(owner: string, given: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue
    throw new TypeError(
      `${owner}: the options runtime and ${name} exclude each other: pass ${name} to createRuntime, or remove runtime`,
    )
  }
}

function within(group: string | undefined, name: string): string {
  return group === undefined ? name : `${group}.${name}`
}
