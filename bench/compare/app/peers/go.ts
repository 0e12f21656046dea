import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startProgram } from '../../../lib/child.ts'
import type { ListeningProcess } from '../../../lib/child.ts'
import { accounted } from '../../../lib/process-files.ts'
import { settings } from '../../workload/settings.ts'

const run = promisify(execFile)

/** Returns the version of the Go compiler, or `undefined` if it is not installed. */
export async function goVersion(): Promise<string | undefined> {
  try {
    const { stdout } = await run('go', ['env', 'GOVERSION'])
    return stdout.trim()
  } catch {
    return undefined
  }
}

/** Returns the reason why a target in Go cannot be started on this machine, or `undefined`. */
export async function goMissing(): Promise<string | undefined> {
  if ((await goVersion()) === undefined) return 'no Go compiler is installed'
  return accounted ? undefined : 'the CPU time of a process that is not Node cannot be measured on this machine'
}

/** Builds the program in `go/` and starts it. The build does not use the network. */
export async function startGo(name: string, origin: string): Promise<ListeningProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'headwaters-bench-'))
  try {
    const program = join(folder, 'peer')
    await run('go', ['build', '-o', program, '.'], {
      cwd: join(import.meta.dirname, 'go'),
      env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '', GOPROXY: 'off', GOTOOLCHAIN: 'local', GOWORK: 'off' },
    })
    const { concurrency, stepConcurrency, deadlineMs } = settings
    const argv = [
      '-origin',
      origin,
      '-slots',
      String(concurrency),
      '-width',
      String(stepConcurrency),
      '-deadline',
      `${deadlineMs}ms`,
    ]
    // The program is pinned to one core.
    return await startProgram(name, [program, ...argv], { ...process.env, GOMAXPROCS: '1' }, 1)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
