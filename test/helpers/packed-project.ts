import { execFile, type ExecFileException } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { Test } from 'tap'

const root = join(import.meta.dirname, '../..')
const run = promisify(execFile)

const kept = new RegExp(
  '^(?:HOME|USER|LANG|TMPDIR|https?_proxy|no_proxy|NODE_EXTRA_CA_CERTS|' +
    'npm_config_(?:registry|cache|userconfig|cafile|https?_proxy|proxy))$',
  'i',
)

/** A user's shell: this process's settings of npm and the network, and nothing that tap or npm gave it for itself. */
export const environment: NodeJS.ProcessEnv = Object.fromEntries([
  ...Object.entries(process.env).filter(([name]) => kept.test(name)),
  ['PATH', [dirname(process.execPath), process.env['PATH']].join(delimiter)],
])

/** What a command said, whether it ended well or not. */
export interface Said {
  readonly code: number
  readonly output: string
}

/** Runs a command to its end; never rejects. */
export async function say(cwd: string, command: string, args: readonly string[]): Promise<Said> {
  try {
    // tap gives its own loader to every process, by NODE_OPTIONS; a user's processes have none.
    const { stdout, stderr } = await run('env', ['-u', 'NODE_OPTIONS', command, ...args], {
      cwd,
      env: environment,
      maxBuffer: 2 ** 24,
    })
    return { code: 0, output: stdout + stderr }
  } catch (error) {
    const { code, stdout, stderr } = error as ExecFileException
    return { code: typeof code === 'number' ? code : 1, output: `${stdout}${stderr}` }
  }
}

/** A tool of this checkout. */
export function tool(name: string): string {
  return join(root, 'node_modules/.bin', name)
}

/**
 * Packs a copy of the checkout as `npm publish` would, and installs it into an empty project beside packages of the
 * project's own. The network's failure is given back, for tests that want to skip.
 */
export async function packedProject(t: Test, beside: readonly string[]) {
  const folder = await mkdtemp(join(tmpdir(), 'headwaters-package-'))
  const remove = () => rm(folder, { recursive: true, force: true })
  t.teardown(remove)
  try {
    const tarball = await pack(folder)
    const project = join(folder, 'project')
    await mkdir(project)
    await writeFile(join(project, 'package.json'), '{ "name": "project", "private": true, "type": "module" }')
    const installed = await say(project, 'npm', [
      'install',
      '--no-audit',
      '--no-fund',
      '--prefer-offline',
      '--fetch-retries=1',
      '--fetch-retry-mintimeout=500',
      '--fetch-retry-maxtimeout=1000',
      tarball,
      ...beside,
    ])
    const { code, output } = installed
    if (code !== 0 && !isOffline(installed)) throw new Error(`npm install: ${output}`)
    return { project, tarball, offline: isOffline(installed) ? output : undefined }
  } catch (error) {
    await remove()
    throw error
  }
}

/** Packs a copy of the checkout into a folder of its own. */
export async function packedFile(t: Test): Promise<{ readonly folder: string; readonly tarball: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'headwaters-package-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return { folder, tarball: basename(await pack(folder)) }
}

/** Returns true for a command of npm that could not reach the registry. */
export function isOffline({ code, output }: Said): boolean {
  return (
    code !== 0 && /ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|ENETUNREACH|ERR_SOCKET_TIMEOUT/.test(output)
  )
}

/** Packs into a folder from a copy, so that the `dist` of a running test is not built again. */
async function pack(folder: string): Promise<string> {
  const copy = join(folder, 'copy')
  const leftOut = new Set(['node_modules', 'dist', '.git', '.tap'].map(name => join(root, name)))
  await cp(root, copy, { recursive: true, filter: source => !leftOut.has(source) })
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'))
  const { code, output } = await say(copy, 'npm', ['pack', '--loglevel=error', '--pack-destination', folder])
  if (code !== 0) throw new Error(`npm pack: ${output}`)
  return join(folder, (await readdir(folder)).find(name => name.endsWith('.tgz')) as string)
}
