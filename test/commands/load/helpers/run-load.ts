import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { LoadResult } from '../../../../src/commands/load/result.ts'
import { childEnvironment } from '../../../helpers/child-environment.ts'

const root = join(import.meta.dirname, '../../../..')

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs `headwaters` as a shell does; resolves with any exit code. */
export async function runHeadwaters(...args: readonly string[]): Promise<Ended> {
  const run = promisify(execFile)(process.execPath, ['src/cli.ts', ...args], { cwd: root, env: childEnvironment })
  return run.then(
    ended => ({ code: 0, ...ended }),
    (error: Ended) => error,
  )
}

/** Runs `headwaters load`. */
export function runLoad(...args: readonly string[]): Promise<Ended> {
  return runHeadwaters('load', ...args)
}

/** Runs `headwaters load --json` and parses its document. */
export async function loadResult(...args: readonly string[]): Promise<LoadResult & { readonly code: number }> {
  const { code, stdout, stderr } = await runLoad(...args, '--json')
  if (stdout === '') throw new Error(`the load test gave no document: ${stderr}`)
  return { ...(JSON.parse(stdout) as LoadResult), code }
}
