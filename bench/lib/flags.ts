import { parseArgs } from 'node:util'

/**
 * Reads command-line options that are positive integers. With `--help`, prints the help and returns `undefined`.
 *
 * @param args - The arguments. @default those of the process
 */
export function readFlags<Name extends string>(
  help: string,
  defaults: Readonly<Record<Name, number>>,
  args: readonly string[] = process.argv.slice(2),
): Readonly<Record<Name, number>> | undefined {
  const flags = Object.fromEntries(Object.keys(defaults).map(name => [name, { type: 'string' } as const]))
  const { values } = parseArgs({
    args: [...args],
    options: { ...flags, help: { type: 'boolean', short: 'h', default: false } },
  })
  if (values.help === true) {
    process.stdout.write(help)
    return undefined
  }
  const read: Record<Name, number> = { ...defaults }
  for (const name of Object.keys(defaults) as Name[]) {
    const text = (values as Record<string, unknown>)[name] as string | undefined
    if (text === undefined) continue
    read[name] = Number(text)
    if (!Number.isInteger(read[name]) || read[name] < 1)
      throw new TypeError(`--${name} must be a whole number above 0, got '${text}'`)
  }
  return read
}
