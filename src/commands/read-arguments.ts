import { existsSync } from 'node:fs'
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'
import { suggest } from './suggest.ts'
import { UsageError } from './usage-error.ts'

/** Reads a command's arguments; throws a `UsageError` that names the first one that cannot be used. */
export function readArguments<const O extends ParseArgsOptionsConfig>(args: readonly string[], options: O) {
  const unknown = optionNames(args, options).find(({ name }) => !Object.hasOwn(options, name))
  if (unknown !== undefined) {
    const known = Object.keys(options).map(name => `--${name}`)
    throw new UsageError(`unknown option '${unknown.rawName}'${suggest(unknown.rawName, known)}`)
  }
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error })
  }
}

/** Returns every option of the arguments in order, known or not. */
export function optionNames(
  args: readonly string[],
  options: ParseArgsOptionsConfig,
): { readonly name: string; readonly rawName: string }[] {
  const { tokens } = parseArgs({ args: [...args], options, allowPositionals: true, strict: false, tokens: true })
  return tokens.filter(token => token.kind === 'option')
}

/** Throws a `UsageError` that names each path that does not exist. */
export function checkPaths(command: string, paths: readonly string[]): void {
  const missing = paths.filter(path => !existsSync(path))
  if (missing.length > 0)
    throw new UsageError(`${command}: no such file or folder: ${missing.map(path => `'${path}'`).join(', ')}`)
}
