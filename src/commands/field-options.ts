import type { ParseArgsOptionsConfig } from 'node:util'
import { optionNames } from './read-arguments.ts'

const field = { type: 'string', multiple: true } as const

/**
 * Returns an option with a value for each long option that the command does not define. Such an option is a field of
 * the aggregate, and fields are known only after the definitions are loaded.
 *
 * @param args - The arguments of the command.
 * @param options - The options of the command.
 */
export function fieldOptions(
  args: readonly string[],
  options: ParseArgsOptionsConfig,
): Readonly<Record<string, typeof field>> {
  const names = optionNames(args, options)
    .filter(({ name, rawName }) => rawName.startsWith('--') && !Object.hasOwn(options, name))
    .map(({ name }) => name)
  return Object.fromEntries(names.map(name => [name, field]))
}

/**
 * Returns the values of such options by name, in the order of the arguments.
 *
 * @param values - The values of all options.
 */
export function fieldValues(
  fields: ReturnType<typeof fieldOptions>,
  values: object,
): Readonly<Record<string, readonly string[]>> {
  // The names of fields are not known to the types of the options.
  const given = values as Readonly<Record<string, readonly string[]>>
  return Object.fromEntries(Object.keys(fields).map(name => [name, given[name] ?? []]))
}
