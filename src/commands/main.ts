import { existsSync, readFileSync } from 'node:fs'
import { suggest } from '../core/suggest.ts'
import { usageOf, type Command } from './command.ts'
import { help } from './help.ts'
import { UsageError } from './usage-error.ts'

/** The commands. The module of a command is loaded when the command runs. */
const commands: Readonly<Record<string, () => Promise<{ readonly command: Command }>>> = {
  serve: () => import('./serve.ts'),
  run: () => import('./run.ts'),
  explain: () => import('./explain.ts'),
  batch: () => import('./batch.ts'),
  bulk: () => import('./bulk.ts'),
  openapi: () => import('./openapi.ts'),
  check: () => import('./check.ts'),
  load: () => import('./load.ts'),
  init: () => import('./init.ts'),
  completion: async () => ({ command: (await import('./completion.ts')).completionOf(commands) }),
}

/** Runs the command line. Resolves with the exit code, or with undefined if a service runs. */
export async function main(args: readonly string[]): Promise<number | undefined> {
  const [first = 'serve', ...others] = args
  if (first === '--help' || first === '-h') {
    endWithReader()
    return print(help)
  }
  if (isVersion(args)) return print(`${version()}\n`)
  const isNamed = args.length > 0 && !first.startsWith('-')
  const name = isNamed ? first : 'serve'
  // A service opens its own descriptor for stdout, so that processes that share stdout keep their settings.
  if (name !== 'serve' || args.includes('--help') || args.includes('-h')) endWithReader()
  let usage = usageOf(help)
  try {
    if (!Object.hasOwn(commands, name)) throw new UsageError(noCommand(name))
    const { command } = await (commands[name] as (typeof commands)[string])()
    usage = usageOf(command.help)
    return await command.run(isNamed ? others : args)
  } catch (error) {
    return report(error, `${usage}\nMore: headwaters${Object.hasOwn(commands, name) ? ` ${name}` : ''} --help`)
  }
}

/** Returns true if `--version` or `-v` is the first argument, or the only argument after the name of a command. */
function isVersion([first = '', second = '', ...others]: readonly string[]): boolean {
  const isOption = (word: string) => word === '--version' || word === '-v'
  return isOption(first) || (Object.hasOwn(commands, first) && isOption(second) && others.length === 0)
}

/** Exits with 0 when the reader of stdout closes the pipe, as `head` does. */
function endWithReader(): void {
  process.stdout.on('error', error => process.exit((error as NodeJS.ErrnoException).code === 'EPIPE' ? 0 : 1))
}

function noCommand(name: string): string {
  const names = Object.keys(commands)
  const hint = existsSync(name)
    ? `: did you mean 'headwaters serve ${name}'?`
    : suggest(name, names) || `: use ${names.join(', ')}`
  return `unknown command '${name}'${hint}`
}

/** Prints an error. An error that the user can fix is printed without its stack. */
function report(error: unknown, usage: string): number {
  const { name, message, stack, code } = error as Error & { readonly code?: string }
  if (error instanceof UsageError) return print(`headwaters: ${message}\n\n${usage}\n`, 2)
  if (name === 'DefinitionsError')
    return print(`headwaters: invalid definitions\n${message.replaceAll(/^/gm, '  ')}\n`, 2)
  if (name === 'ConfigError') return print(`headwaters: invalid configuration\n${message.replaceAll(/^/gm, '  ')}\n`, 2)
  return print(`headwaters: ${code === undefined ? stack : message}\n`, 1)
}

/** Prints a text to stdout if the exit code is 0, and to stderr otherwise. Returns the code. */
function print(text: string, code = 0): number {
  ;(code === 0 ? process.stdout : process.stderr).write(text)
  return code
}

function version(): string {
  const { version: own } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  return own
}
