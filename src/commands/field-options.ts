import type { ParseArgsOptionsConfig } from 'node:util'
import { optionNames } from './read-arguments.ts'

const field = { type: 'string', multiple: true } as const

/**
 * Returns an option with a value for each long option that the command does not define. Such an option is a field of
 * the aggregate, and fields are known only after the definitions are loaded.
 *
 * @param args - The arguments of `headwaters run`.
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
