import type { ParseArgsOptionsConfig } from 'node:util'
import { optionNames } from './read-arguments.ts'

const field = { type: 'string', multiple: true } as const

/**
 * Returns an option for each long option of the arguments that is not one of the command: it is a field of the
 * aggregate, which is known only after its definitions are loaded, and takes a value.
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
