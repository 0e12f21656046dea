import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Result } from '../../../../src/commands/load/result.ts'

const root = join(import.meta.dirname, '../../../..')

/** Runs the load test as a shell would; a failure is an answer too. */
export async function runLoad(
  ...args: readonly string[]
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const { NODE_OPTIONS: _, ...env } = process.env
  const run = promisify(execFile)(process.execPath, ['src/commands/load/main.ts', ...args], { cwd: root, env })
  return run.then(
    ended => ({ code: 0, ...ended }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  )
}

/** Runs it and reads its document. */
export async function loadResult(...args: readonly string[]): Promise<Result & { readonly code: number }> {
  const { code, stdout, stderr } = await runLoad(...args, '--json')
  if (stdout === '') throw new Error(`the load test gave no document: ${stderr}`)
  return { ...(JSON.parse(stdout) as Result), code }
}
