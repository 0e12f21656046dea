import { existsSync, statSync } from 'node:fs'
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'
import { suggest } from '../core/suggest.ts'
import { UsageError } from './usage-error.ts'

interface OptionToken {
  readonly name: string
  /** The option as it was given: `--out` or `-o`. */
  readonly rawName: string
  readonly value: string | undefined
  /** True if the option and its value are one word, as in `--out=x`. */
  readonly inlineValue: boolean | undefined
}

/**
 * Reads the arguments of a command.
 *
 * @throws {UsageError} For the first invalid argument, which the message names.
 */
export function readArguments<const O extends ParseArgsOptionsConfig>(args: readonly string[], options: O) {
  for (const token of optionNames(args, options)) {
    const fault = faultOf(token, options)
    if (fault !== undefined) throw new UsageError(fault)
  }
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error })
  }
}

/**
 * Reads the arguments of a command. Prints the help for `--help`.
 *
 * @returns The values of the options and the positionals, or `undefined` for `--help`.
 * @throws {UsageError} For the first invalid argument, which the message names.
 */
export function readCommandArguments<const O extends ParseArgsOptionsConfig>(
  help: string,
  args: readonly string[],
  options: O,
) {
  const given = readArguments(args, options)
  if (!('help' in given.values) || given.values.help !== true) return given
  process.stdout.write(help)
  return undefined
}

/**
 * Reads the arguments of a command that takes files and folders. Prints the help for `--help`.
 *
 * @returns The values of the options and the paths, or `undefined` for `--help`.
 * @throws {UsageError} For the first invalid argument, and for paths that do not exist.
 */
export function readFileArguments<const O extends ParseArgsOptionsConfig>(
  command: string,
  help: string,
  args: readonly string[],
  options: O,
) {
  const given = readCommandArguments(help, args, options)
  if (given === undefined) return undefined
  const { values, positionals: paths } = given
  checkPaths(command, paths)
  return { ...values, paths }
}

/** Returns the reason why an option is invalid, or `undefined` if it is valid. */
function faultOf(
  { name, rawName, value, inlineValue }: OptionToken,
  options: ParseArgsOptionsConfig,
): string | undefined {
  if (!Object.hasOwn(options, name)) {
    const known = Object.keys(options).map(each => `--${each}`)
    return `unknown option '${rawName}'${suggest(rawName, known)}`
  }
  if (options[name]?.type === 'boolean')
    return value === undefined ? undefined : `option '${rawName}' takes no value, got '${value}'`
  if (value === undefined) return `option '${rawName}' needs a value`
  return value.startsWith('-') && value !== '-' && inlineValue !== true
    ? `option '${rawName}' needs a value: for a value that begins with '-' write ${rawName}=${value}`
    : undefined
}

/** Returns all options of the arguments in order, including unknown options. */
export function optionNames(args: readonly string[], options: ParseArgsOptionsConfig): OptionToken[] {
  const { tokens } = parseArgs({ args: [...args], options, allowPositionals: true, strict: false, tokens: true })
  return tokens.filter(token => token.kind === 'option')
}

/** Throws a `UsageError` that names each path that does not exist. */
export function checkPaths(command: string, paths: readonly string[]): void {
  const missing = paths.filter(path => !existsSync(path))
  if (missing.length > 0)
    throw new UsageError(
      `${command}: no such file or folder: ${missing.map(path => `'${path}'`).join(', ')}; check the path`,
    )
}

/** Throws a `UsageError` if `--live` is given together with files and folders. */
export function checkLive(live: boolean, paths: readonly string[], builtIn = 'aggregates'): void {
  if (live && paths.length > 0)
    throw new UsageError(
      `--live applies to the built-in ${builtIn} only: remove --live, or remove the files and folders`,
    )
}

/** Throws a `UsageError` if the value of an option does not name a file. */
export function checkModule(option: string, file: string): void {
  if (!existsSync(file)) throw new UsageError(`${option}: no such file: '${file}'; check the path`)
  if (statSync(file).isDirectory()) throw new UsageError(`${option}: '${file}' is a folder; name one file`)
}
