import { execFileSync } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { ListeningProcess } from '../../lib/child.ts'
import { startServer } from './program.ts'
import type { TargetEnvironment } from '../targets.ts'

/** This checkout. */
export const own = join(import.meta.dirname, '../../..')

/**
 * Starts `headwaters serve` of a checkout as its users do: all defaults, the upstream's origin from the environment.
 */
export function startProduct(checkout: string, definitions: 'plain' | 'pipelining') {
  return (name: string, { origin, log }: TargetEnvironment): Promise<ListeningProcess> => {
    // Options may have other names there, and the folder was another one once.
    const files = ['bench/compare/serve', 'bench/serve'].map(folder =>
      join(checkout, folder, `definitions/${definitions}.ts`),
    )
    const path = files.find(existsSync) ?? join(own, `bench/compare/serve/definitions/${definitions}.ts`)
    return startServer(
      name,
      () => [process.execPath, join(checkout, 'src/cli.ts'), 'serve', path],
      { HEADWATERS_UPSTREAM_FACTS_ORIGIN: origin },
      log,
    )
  }
}

/** Returns why `headwaters serve` of a folder cannot be started, or nothing. */
export function productMissing(checkout: string): string | undefined {
  if (!existsSync(join(checkout, 'src/cli.ts'))) return `${checkout} is not a checkout: it has no src/cli.ts`
  if (!existsSync(join(checkout, 'node_modules'))) return `${checkout} has no node_modules: run npm ci there`
  return undefined
}

/**
 * Returns the commit of a checkout, with a plus sign where files differ from it; its folder's name where git does not
 * know it.
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
