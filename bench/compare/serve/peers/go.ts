import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { ListeningProcess } from '../../../lib/child.ts'
import { settings } from '../../workload/settings.ts'
import { startServer } from '../program.ts'
import type { TargetEnvironment } from '../../targets.ts'

const run = promisify(execFile)

/** Builds the program in `go/` and starts it. The build does not use the network. */
export async function startGo(name: string, { origin, log }: TargetEnvironment): Promise<ListeningProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'headwaters-bench-'))
  try {
    const program = join(folder, 'peer')
    await run('go', ['build', '-o', program, '.'], {
      cwd: join(import.meta.dirname, 'go'),
      env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '', GOPROXY: 'off', GOTOOLCHAIN: 'local', GOWORK: 'off' },
    })
    const { concurrency, stepConcurrency, deadlineMs } = settings
    // The program is pinned to one core.
    return await startServer(
      name,
      () => [program, '-slots', String(concurrency), '-width', String(stepConcurrency), '-deadline', `${deadlineMs}ms`],
      { GOMAXPROCS: '1', UPSTREAM: origin },
      log,
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
