import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { ListeningProcess } from '../../../lib/child.ts'
import { settings } from '../../workload/settings.ts'
import { startServer } from '../program.ts'
import type { TargetEnvironment } from '../../targets.ts'

const run = promisify(execFile)
const crates = '/usr/share/cargo/registry'
const needed = [
  'hyper-0.14',
  'tokio-1',
  'serde_json-1',
  'form_urlencoded-1',
  'percent-encoding-2',
  'httparse-1',
  'bytes-1',
]
const built = join(import.meta.dirname, '../../../../node_modules/.cache/headwaters/rust-peer')

/** Puts `/usr/bin` first in `PATH`: the crates are Debian's, so the compiler must also be Debian's. */
const env = { ...process.env, PATH: `/usr/bin:${process.env['PATH']}`, CARGO_HOME: join(built, 'home') }

/** Returns the name and version of the Rust compiler, or `undefined` if it is not installed. */
export async function rustVersion(): Promise<string | undefined> {
  try {
    const { stdout } = await run('rustc', ['--version'], { env })
    return stdout.trim().split(' ', 2).join(' ')
  } catch {
    return undefined
  }
}

/** Returns the reason why the program in `rust/` cannot be built, or `undefined`. */
export async function rustMissing(): Promise<string | undefined> {
  if ((await rustVersion()) === undefined) return 'no Rust compiler is installed (Debian: apt-get install cargo)'
  const missing = needed.filter(crate => !cratesHere().some(name => name.startsWith(crate)))
  return missing.length === 0
    ? undefined
    : `${crates} lacks ${missing.join(', ')} (Debian: apt-get install librust-hyper-dev librust-tokio-dev ` +
        'librust-serde-json-dev librust-form-urlencoded-dev librust-percent-encoding-dev)'
}

/**
 * Builds the program in `rust/` and starts it. The first build takes a minute. The build does not use the network.
 *
 * @param pipelining - The number of calls on one connection. With it, the program has a client of its own, because
 * hyper has no pipelining. @default 1, with the client of hyper
 */
export async function startRust(
  name: string,
  { origin, log }: TargetEnvironment,
  pipelining?: number,
): Promise<ListeningProcess> {
  await run('cargo', ['build', '--release', '--offline', '--target-dir', built], {
    cwd: join(import.meta.dirname, 'rust'),
    env,
    maxBuffer: 2 ** 24,
  })
  const { concurrency, stepConcurrency, deadlineMs } = settings
  return startServer(
    name,
    () => [join(built, 'release/peer')],
    {
      UPSTREAM: origin,
      SLOTS: String(concurrency),
      WIDTH: String(stepConcurrency),
      DEADLINE_MS: String(deadlineMs),
      ...(pipelining !== undefined && { PIPELINING: String(pipelining) }),
    },
    log,
  )
}

function cratesHere() {
  try {
    return readdirSync(crates)
  } catch {
    return []
  }
}
