import type { ParseArgsOptionsConfig } from 'node:util'

/** A command of `headwaters`. */
export interface Command {
  /** The text of `--help`. */
  readonly help: string
  /** Its options by name. */
  readonly options: ParseArgsOptionsConfig
  /** Runs the command. Resolves with the exit code, or with undefined if a service now runs until it is stopped. */
  run(args: readonly string[]): Promise<number | undefined>
}

/** Returns the usage line of a help text. */
export function usageOf(help: string): string {
  return help.slice(help.indexOf('Usage: ')).split('\n\n')[0] as string
}
