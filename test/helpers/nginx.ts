import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { until } from './until.ts'

/** On Debian, the folder of nginx is in the `PATH` of root only. */
const env = { PATH: `${process.env['PATH']}:/usr/sbin` }

/** Why a test with nginx is skipped, or `false`; where every test must run, a missing nginx is a failure. */
export const nginxMissing = missing()

/** Shares connections among several origins in turn, and gives each request to one of them only. */
const balanced = (origins: readonly string[]) => `
       upstream origins {
         ${origins.map(origin => `server ${new URL(origin).host} max_fails=0;`).join(' ')}
         keepalive 64;
       }
       proxy_next_upstream off; proxy_http_version 1.1; proxy_set_header Connection "";`

/**
 * Starts nginx in front of an origin, with the defaults of its directives, or in front of several ones. It ends with
 * the test.
 */
export async function startNginx(t: Test, origins: string | readonly string[]): Promise<string> {
  const prefix = mkdtempSync(join(tmpdir(), 'headwaters-nginx-'))
  const port = await freePort()
  const isOne = typeof origins === 'string'
  writeFileSync(
    join(prefix, 'nginx.conf'),
    `daemon off; master_process off; pid nginx.pid; error_log stderr;
     events {${isOne ? '' : ' worker_connections 8192; '}}
     http {
       access_log off;
       client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
       ${isOne ? '' : balanced(origins)}
       server { listen 127.0.0.1:${port}${isOne ? '' : ' backlog=4096'}; location / { proxy_pass ${isOne ? origins : 'http://origins'}; } }
     }`,
  )
  const child = spawn('nginx', ['-p', prefix, '-c', 'nginx.conf', '-e', 'stderr'], { env, stdio: 'ignore' })
  const ended = once(child, 'exit')
  t.teardown(async () => {
    child.kill()
    await ended
    rmSync(prefix, { recursive: true, force: true })
  })
  await until(() => accepts(port))
  return `http://127.0.0.1:${port}`
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  const isAccepted = await once(socket, 'connect').then(
    () => true,
    () => false,
  )
  socket.destroy()
  return isAccepted
}

function missing(): string | false {
  if (spawnSync('nginx', ['-v'], { env }).status === 0) return false
  const reason = 'nginx is not installed (Debian: apt-get install nginx)'
  if (process.env.HEADWATERS_TEST_ALL === '1')
    throw new Error(`HEADWATERS_TEST_ALL=1 allows no skipped test, and ${reason}`)
  return reason
}
