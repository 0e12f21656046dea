import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { accepts, freePort } from '../../compare/serve/port.ts'
import { listens, spawnOn } from '../../lib/child.ts'
import { poll } from './poll.ts'

/** An nginx that gives each request to the next origin and sends none again. */
export interface Balancer {
  readonly port: number
  /** Uses other origins. Resolves when the worker of nginx that used the previous ones has ended. */
  use(ports: readonly number[]): Promise<void>
  stop(): Promise<void>
}

const configurationOf = (port: number, ports: readonly number[], generation: number) => `
daemon off; worker_processes 1; pid nginx.pid; error_log stderr;
events { worker_connections 8192; }
http {
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  upstream replicas {
    ${ports.map(each => `server 127.0.0.1:${each} max_fails=0;`).join(' ')}
    keepalive 64;
  }
  proxy_next_upstream off; proxy_http_version 1.1; proxy_set_header Connection "";
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location = /generation { return 200 "${generation}"; }
    location / { proxy_pass http://replicas; }
  }
}
`

/** Starts nginx on core 0. */
export async function startBalancer(ports: readonly number[]): Promise<Balancer> {
  const prefix = mkdtempSync(join(tmpdir(), 'headwaters-balancer-'))
  const port = await freePort()
  const giveUp = new AbortController()
  let generation = 0
  const write = (next: readonly number[]) => {
    writeFileSync(join(prefix, 'nginx.conf'), configurationOf(port, next, ++generation))
  }
  write(ports)
  const { child, ended } = spawnOn(
    0,
    'nginx',
    ['nginx', '-p', prefix, '-c', 'nginx.conf', '-e', 'stderr'],
    ['ignore', 'ignore', 'pipe'],
    // On Debian, the folder of nginx is in the `PATH` of root only.
    { PATH: `${process.env['PATH']}:/usr/sbin` },
  )
  const started = accepts(port, giveUp.signal).then(() => ({ port }))
  const nginx = await listens('nginx', child, ended, started).finally(() => giveUp.abort())
  return {
    port,
    async use(next) {
      write(next)
      process.kill(nginx.pid, 'SIGHUP')
      await poll('nginx uses its configuration', async () => {
        const reply = await fetch(`http://127.0.0.1:${port}/generation`, { headers: { connection: 'close' } })
        return (await reply.text()) === String(generation) && childrenOf(nginx.pid).length === 1
      })
    },
    async stop() {
      await nginx.stop()
      rmSync(prefix, { recursive: true, force: true })
    },
  }
}

function childrenOf(pid: number): string[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .filter(child => child !== '')
}
