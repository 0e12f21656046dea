import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Pool } from 'undici'
import { bench } from '../../lib/bench.ts'
import { startChild } from '../../lib/child.ts'
import { formatTable } from '../../../src/commands/load/format.ts'
import { callers } from './callers.ts'
import { help, readOptions } from './options.ts'
import { PartMetrics, type PartResult } from './part-metrics.ts'
import { violationsOf } from './violations.ts'
import type { ChaosSample } from './watch.ts'

const warmUpSeconds = 3
/**
 * Time between two waves of attacks for a service that answers `usualRate` healthy requests per second, in ms. The time
 * is longer for a slower service.
 */
const waveMs = 4000
const usualRate = 500
const mostWaveMs = 10_000

await bench(async () => {
  const options = readOptions(process.argv.slice(2))
  if (options === undefined) {
    process.stdout.write(help)
    return []
  }
  const { seconds, heap, workers, rate, parts } = options
  const folder = mkdtempSync(join(tmpdir(), 'headwaters-chaos-'))
  try {
    const [healthy, faulty, hostile] = await Promise.all([
      startChild('healthy', new URL('./upstream.ts', import.meta.url), [], 'any'),
      startChild('faulty', new URL('../faulty-upstream.ts', import.meta.url), ['0.2', '1'], 'any'),
      startChild('hostile', new URL('./upstream.ts', import.meta.url), [], 'any'),
    ])
    const origins = [healthy, faulty, hostile].map(({ port }) => `http://127.0.0.1:${port}`)
    const service = await startChild(
      'service',
      new URL('./service.ts', import.meta.url),
      [[...origins, folder].join(' '), String(workers)],
      'any',
      [`--max-old-space-size=${heap}`],
    )
    let died: string | undefined
    service.ended.catch((error: Error) => {
      died = [/^.*/.exec(error.message), /FATAL ERROR: .*/.exec(error.message)]
        .flatMap(found => found?.[0] ?? [])
        .join(', ')
    })

    const origin = `http://127.0.0.1:${service.port}`
    const most = await bearable(origin)
    const pace = {
      seconds,
      rate: Math.min(rate, most / 5),
      waveMs: Math.min(mostWaveMs, waveMs * Math.max(1, usualRate / most)),
    }
    process.stdout.write(
      `${pace.rate.toFixed(0)} healthy requests per second for ${seconds} s, and waves of attacks every ` +
        `${pace.waveMs.toFixed(0)} ms; ${workers === 1 ? 'one process' : `${workers} workers`} with ${heap} MB of old space\n`,
    )

    // Attackers hold their connections for a long time. So healthy callers must not share a pool with them.
    const tallies = new Map(parts.map(name => [name, new PartMetrics()]))
    const pools = parts.map(() => new Pool(origin, { connections: 1024, connectTimeout: 15_000 }))
    const delays = monitorEventLoopDelay({ resolution: 10 })
    delays.enable()
    await Promise.all(
      parts.map((name, index) =>
        callers[name](service.port, pools[index] as Pool, tallies.get(name) as PartMetrics, pace),
      ),
    )
    const isWell = died === undefined && (await answersAgain(origin))
    await Promise.all(pools.map(pool => pool.destroy()))

    const results = Object.fromEntries(Array.from(tallies, ([name, tally]) => [name, tally.result()]))
    print(results)
    for (const line of samplesOf(folder)) process.stdout.write(`${line}\n`)
    process.stdout.write(
      `the callers' own loop was late by ${(delays.max / 1e6).toFixed(0)} ms at most: the times above include that\n`,
    )
    return violationsOf({ parts: results, died, isWell })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

/** Returns the number of requests per second that complete in a closed loop without attacks. */
async function bearable(origin: string): Promise<number> {
  const until = performance.now() + warmUpSeconds * 1000
  let answered = 0
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      while (performance.now() < until) {
        await (await fetch(`${origin}/healthy/first`)).text()
        answered++
      }
    }),
  )
  return answered / warmUpSeconds
}

/** Returns true when the service is ready and answers a healthy request within five seconds. */
async function answersAgain(origin: string): Promise<boolean> {
  const signal = AbortSignal.timeout(5000)
  try {
    if ((await fetch(`${origin}/health/ready`, { signal })).status !== 200) return false
    while ((await fetch(`${origin}/healthy/last`, { signal })).status !== 200);
    return true
  } catch {
    return false
  }
}

function print(results: Readonly<Record<string, PartResult>>): void {
  const head = ['part', 'asked', 'admitted', 'whole', 'partial', 'shed', 'failed', 'mixed up', 'p99 ms', 'failed with']
  const rows = Object.entries(results).map(
    ([name, { asked, admitted, whole, partial, shed, failed, mixedUp, p99Ms }]) => [
      name,
      ...[
        asked,
        admitted,
        whole,
        partial,
        shed,
        Object.values(failed).reduce((sum, count) => sum + count, 0),
        mixedUp,
      ].map(String),
      Number.isNaN(p99Ms) ? '-' : p99Ms.toFixed(0),
      JSON.stringify(failed),
    ],
  )
  process.stdout.write(`${formatTable([head, ...rows])}\n`)
}

/** Returns one line per process of the service: the maxima of its samples. */
function samplesOf(folder: string): string[] {
  const mib = (bytes: number) => (bytes / 2 ** 20).toFixed(0)
  return readdirSync(folder).map(file => {
    const samples = readFileSync(join(folder, file), 'utf8')
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as ChaosSample)
    const most = (of: (sample: ChaosSample) => number) => Math.max(...samples.map(of))
    return (
      `process ${samples[0]?.pid}: at most ${mib(most(({ oldBytes }) => oldBytes))} MiB of old space, ` +
      `${mib(most(({ externalBytes }) => externalBytes))} external, ${mib(most(({ residentBytes }) => residentBytes))} ` +
      `resident; the loop was late by ${most(({ loopDelay }) => loopDelay).toFixed(0)} ms at most`
    )
  })
}
