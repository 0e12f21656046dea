import { spawnSync } from 'node:child_process'
import { formatTable } from '../../../src/commands/load/format.ts'
import { bench } from '../../lib/bench.ts'
import { pinned } from '../../lib/child.ts'
import { readFlags } from '../../lib/flags.ts'
import { measureReloads } from './measure-reloads.ts'
import { startReplicas } from './replicas.ts'

const help = `Sends requests to replicas behind nginx, which sends none again (proxy_next_upstream off), while SIGHUP reloads the changed
definitions of all replicas, and then while each replica is replaced: a new one starts, nginx uses it, and SIGTERM ends the old one.
The exit code is 1 if a request has no reply with status 200.

Usage: npm run bench:reloads -- [options]

  --replicas N  replicas (default 3)
  --requests N  requests of both together, at least (default 100000)
  --rate N      requests per second (default 500)
  --reloads N   reloads of each replica (default 100)
  --restarts N  replacements of each replica (default 3)
  --delay N     time of a call to the upstream, in ms (default 5)
  --help        prints this
`

await bench(async () => {
  const flags = readFlags(help, { replicas: 3, requests: 100_000, rate: 500, reloads: 100, restarts: 3, delay: 5 })
  if (flags === undefined) return []
  // Pin the caller to the core of the upstream and of nginx, so that the replicas have the other core.
  if (pinned) spawnSync('taskset', ['-cp', '0', String(process.pid)])
  const replicas = await startReplicas(flags.replicas, flags.delay)
  try {
    const rows = await measureReloads(replicas, flags)
    process.stdout.write(
      formatTable([
        ['change', 'times', 'requests', 'failed', 'p50 ms', 'p99 ms'],
        ...rows.map(({ change, changes, requests, failed, p50Ms, p99Ms }) => [
          change,
          String(changes),
          String(requests),
          String(failed),
          p50Ms.toFixed(1),
          p99Ms.toFixed(1),
        ]),
      ]),
    )
    return rows.flatMap(({ change, failed, requests }) =>
      failed > 0 ? [`${change}: ${failed} of ${requests} requests have no reply with status 200`] : [],
    )
  } finally {
    await replicas.close()
  }
})
