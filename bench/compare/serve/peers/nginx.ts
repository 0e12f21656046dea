import { execFile } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { ListeningProcess } from '../../../lib/child.ts'
import { settings } from '../../workload/settings.ts'
import { startServer } from '../program.ts'
import type { TargetEnvironment } from '../../targets.ts'

const run = promisify(execFile)
const folder = join(import.meta.dirname, 'nginx')
const modules = '/usr/lib/nginx/modules'
/** On Debian, the folder of nginx is in the `PATH` of root only. */
const path = `${process.env['PATH']}:/usr/sbin`

/** Returns the version of nginx, or `undefined` if it is not installed. */
export async function nginxVersion(): Promise<string | undefined> {
  try {
    const { stderr } = await run('nginx', ['-v'], { env: { PATH: path } })
    return stderr.trim().split('/')[1]
  } catch {
    return undefined
  }
}

/** Returns the reason why nginx with Lua cannot be started, or `undefined`. */
export async function nginxMissing(): Promise<string | undefined> {
  if ((await nginxVersion()) === undefined) return 'nginx is not installed (Debian: apt-get install nginx)'
  if (!existsSync(join(modules, 'ngx_http_lua_module.so')))
    return 'the Lua module of nginx is not installed (Debian: apt-get install libnginx-mod-http-lua)'
  const hasJson = await run('sh', ['-c', 'ls /usr/lib/*/lua/5.1/cjson.so']).then(
    () => true,
    () => false,
  )
  return hasJson ? undefined : 'the cjson module of Lua is not installed (Debian: apt-get install lua-cjson)'
}

/** Starts nginx as one process with a temporary folder. The folder is removed when nginx stops. */
export async function startNginx(name: string, { origin, log }: TargetEnvironment): Promise<ListeningProcess> {
  const prefix = await mkdtemp(join(tmpdir(), 'headwaters-bench-nginx-'))
  const remove = () => rm(prefix, { recursive: true, force: true })
  try {
    await symlink(modules, join(prefix, 'modules'))
    const listening = await startServer(
      name,
      port => {
        writeFileSync(join(prefix, 'nginx.conf'), configured(port, new URL(origin)))
        return ['nginx', '-p', prefix, '-c', 'nginx.conf', '-e', 'stderr']
      },
      { PATH: path },
      log,
    )
    return { ...listening, stop: () => listening.stop().then(remove) }
  } catch (error) {
    await remove()
    throw error
  }
}

function configured(port: number, { hostname: host, port: upstreamPort }: URL) {
  const { concurrency, maxQueue, stepConcurrency, deadlineMs: deadline } = settings
  const words: Readonly<Record<string, string | number>> = {
    folder,
    host,
    upstreamPort,
    slots: concurrency,
    queue: maxQueue,
    width: stepConcurrency,
    deadline,
    port,
  }
  return readFileSync(join(folder, 'nginx.conf'), 'utf8').replaceAll(/\{\{(\w+)\}\}/g, (_, word: string) =>
    String(words[word]),
  )
}
