import { execFileSync } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { ListeningProcess } from '../../lib/child.ts'
import { startServer } from './program.ts'
import type { TargetEnvironment } from '../targets.ts'

/** This checkout. */
export const own = join(import.meta.dirname, '../../..')

/**
 * Starts `headwaters serve` of a checkout with all defaults except the level of the log. The origin of the upstream
 * comes from the environment.
 *
 * @param level - `warn`: complete runs have no line, like those of the peers. `info`: each run has a line.
 */
export function startProduct(checkout: string, definitions: 'plain' | 'pipelining', level: 'warn' | 'info' = 'warn') {
  return (name: string, { origin, log }: TargetEnvironment): Promise<ListeningProcess> => {
    // In an older checkout, options can have other names, and the folder of the definitions had another path.
    const files = ['bench/compare/serve', 'bench/serve'].map(folder =>
      join(checkout, folder, `definitions/${definitions}.ts`),
    )
    const path = files.find(existsSync) ?? join(own, `bench/compare/serve/definitions/${definitions}.ts`)
    return startServer(
      name,
      () => [process.execPath, join(checkout, 'src/cli.ts'), 'serve', path],
      { HEADWATERS_UPSTREAM_FACTS_ORIGIN: origin, LOG_LEVEL: level },
      log,
    )
  }
}

/** Returns the reason why `headwaters serve` of a folder cannot be started, or `undefined`. */
export function productMissing(checkout: string): string | undefined {
  if (!existsSync(join(checkout, 'src/cli.ts'))) return `${checkout} is not a checkout: it has no src/cli.ts`
  if (!existsSync(join(checkout, 'node_modules'))) return `${checkout} has no node_modules: run npm ci there`
  return undefined
}

/**
 * Returns the commit of a checkout, followed by `+` if files differ from it. Returns the name of the folder if it is
 * not a git repository.
 */
export function versionOf(checkout: string): string {
  const git = (...args: readonly string[]) =>
    execFileSync('git', ['-C', checkout, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  try {
    if (git('rev-parse', '--show-toplevel') !== realpathSync(checkout)) return basename(checkout)
    return `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain', '--untracked-files=no') === '' ? '' : '+'}`
  } catch {
    return basename(checkout)
  }
}
