import type { ParseArgsOptionsConfig } from 'node:util'

/** One sub-command of `headwaters`. */
export interface Command {
  /** The text of `--help`. */
  readonly help: string
  /** Its options by name. */
  readonly options: ParseArgsOptionsConfig
  /** Runs it; resolves with its exit code, or with nothing when it goes on until it is stopped. */
  run(args: readonly string[]): Promise<number | undefined>
}

/** The lines of a help text that say how a command is called. */
export function usageOf(help: string): string {
  return help.slice(help.indexOf('Usage: ')).split('\n\n')[0] as string
}
