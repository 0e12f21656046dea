// node bench/scenarios/workers/service.ts <origin> <workers>: serves with workers like `headwaters serve`, and reports
// the CPU time of all its processes.
import cluster from 'node:cluster'
import { once } from 'node:events'
import { request } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { serve } from '../../../src/server/serve.ts'
import { upstreamOrigin } from '../../lib/announce.ts'
import { cpuMicrosOf } from './tree-cpu.ts'

/** Usage of a service since its start. */
export interface WorkersUsage {
  /** CPU time of the primary and of all workers, in µs. */
  readonly cpuMicros: number
  /** Number of runs of each worker. The order of the workers is always the same. */
  readonly runs: readonly number[]
}

const origin = upstreamOrigin()
const workers = Number(process.argv[3])

/** Number of runs by the pid of the worker. */
const runs = new Map<number, number>()
let port = 0
if (cluster.isPrimary) {
  port = await freePort()
  Object.assign(process.env, {
    PORT: String(port),
    LOG_LEVEL: 'warn',
    HEADWATERS_UPSTREAM_BENCH_UPSTREAM_ORIGIN: origin,
  })
}
await serve({ paths: [join(import.meta.dirname, 'definitions.ts')], workers })
if (cluster.isPrimary) {
  await count()
  const pids = [...new Set([process.pid, ...runs.keys()])]
  process.on('message', (message: { readonly used?: true; readonly pids?: true }) => {
    if (message.pids) process.send?.({ pids })
    if (message.used)
      void count().then(() =>
        process.send?.({ cpuMicros: cpuMicrosOf(pids), runs: [...runs.values()] } satisfies WorkersUsage),
      )
  })
  // When the parent exits, exit too: the workers exit with this process.
  process.on('disconnect', () => process.exit())
  process.send?.({ port })
}

/**
 * Requests the number of runs until each worker has answered. Each request uses a new connection, because the workers
 * accept connections in turn.
 */
async function count(): Promise<void> {
  const heard = new Set<number>()
  while (heard.size < workers) {
    const [response] = await once(request({ host: '127.0.0.1', port, path: '/who', agent: false }).end(), 'response')
    const { data } = JSON.parse(await text(response)) as {
      readonly data: { readonly pid: number; readonly runs: number }
    }
    heard.add(data.pid)
    runs.set(data.pid, data.runs)
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port: free } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return free
}
