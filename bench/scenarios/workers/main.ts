import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { bench } from '../../lib/bench.ts'
import { pinned, startChild, type ChildServer } from '../../lib/child.ts'
import { formatTable } from '../../../src/commands/load/format.ts'
import { readFlags } from '../../lib/flags.ts'
import type { LoadResult, LoadStart } from '../../compare/workload/closed-loop.ts'
import { median } from '../../lib/percentile.ts'
import type { Window } from '../../compare/measure/window.ts'
import type { WorkersUsage } from './service.ts'

const help = `Measures the cost and the benefit of a second worker: the service runs with one worker, with two, and with one again.
The ratio of the two runs with one worker shows the noise. Their windows take turns. CPU time is the sum over all processes of
a service, including the primary.

Usage: npm run bench:workers -- [options]

  --fanout N   calls per request (default 5)
  --rounds N   windows of each service (default 15)
  --ms N       length of a window (default 1000)
  --callers N  concurrent connections (default 64)
  --help       prints this
`

/** The results of one window. CPU time is the sum over all processes of the service. */
interface WorkersWindow extends Pick<
  Window,
  'target' | 'round' | 'cpuMicrosPerCall' | 'callsPerSecond' | 'p50Ms' | 'p99Ms' | 'busy'
> {
  /** Share of the runs that the busiest worker did. */
  readonly busiest: number
}

const cores = availableParallelism()
/**
 * True if the workers get two cores, which needs a machine with four. Otherwise all workers share one core, and a
 * second worker cannot increase the throughput.
 */
const hasCores = cores >= 4
const targets = [
  ['one worker', 1],
  ['two workers', 2],
  ['one again', 1],
] as const
const [one, two, again] = targets.map(([name]) => name) as [string, string, string]
const bounds = { cpu: 1.1, share: 0.6, throughput: 1.8 }
/**
 * Minimum share of a core that the service must have used in a window. A lower share means that other processes used
 * the core. This makes calls more expensive, and the effect is larger for two workers than for one.
 */
const leastBusy = 0.8
const warmUpMs = 3000
const leadInMs = 200

await bench(async () => {
  const flags = readFlags(help, { fanout: 5, rounds: 15, ms: 1000, callers: 64 })
  if (flags === undefined) return []
  const { fanout, rounds, ms, callers } = flags
  const upstream = await startChild('upstream', new URL('../../compare/workload/upstream.ts', import.meta.url), [], 0)
  const load = await startChild('load', new URL('../../compare/workload/closed-loop.ts', import.meta.url), [], 0)
  const services: ChildServer[] = []
  for (const [name, workers] of targets) services.push(await startService(name, workers, upstream.port))

  const drive = ({ port }: ChildServer, forMs: number) =>
    load.request<LoadResult>({ start: { port, path: `/?n=${fanout}`, ms: forMs, callers } satisfies LoadStart })
  const windows: WorkersWindow[] = []
  // Warm up longer with more workers, so that each worker makes the same number of calls.
  for (const [index, service] of services.entries()) await drive(service, warmUpMs * (targets[index]?.[1] ?? 1))
  for (let round = 0; round < rounds; round++) {
    const first = round % services.length
    for (const service of [...services.slice(first), ...services.slice(0, first)]) {
      // Idle connections were closed during the windows of the other services. Open them again before the window.
      await drive(service, leadInMs)
      const before = await service.request<WorkersUsage>({ used: true })
      const { responses, non200, elapsedMs, p50Ms, p99Ms } = await drive(service, ms)
      const after = await service.request<WorkersUsage>({ used: true })
      if (non200 > 0) {
        console.error(`dropped: ${service.name}, round ${round}: ${non200} responses were not 200`)
        continue
      }
      const done = after.runs.map((runs, index) => runs - (before.runs[index] ?? 0))
      const calls = responses * fanout
      windows.push({
        target: service.name,
        round,
        p50Ms,
        p99Ms,
        busy: (after.cpuMicros - before.cpuMicros) / 1000 / elapsedMs,
        cpuMicrosPerCall: (after.cpuMicros - before.cpuMicros) / calls,
        callsPerSecond: (calls / elapsedMs) * 1000,
        busiest: Math.max(...done) / done.reduce((all, runs) => all + runs, 0),
      })
    }
  }
  return report(
    windows,
    `${callers} callers, fan-out ${fanout}, ${rounds} rounds of ${ms} ms, ` +
      `${hasCores ? 'two cores for the workers' : 'all processes of a service on one core'}`,
  )
})

/** Starts a service. Its processes are pinned to core 1, or to cores 1 and 2 if the machine has four cores. */
async function startService(name: string, workers: number, upstreamPort: number): Promise<ChildServer> {
  const service = await startChild(
    name,
    new URL('./service.ts', import.meta.url),
    [`http://127.0.0.1:${upstreamPort}`, String(workers)],
    1,
  )
  const { pids } = await service.request<{ pids: readonly number[] }>({ pids: true })
  if (pinned && hasCores) for (const pid of pids) spawnSync('taskset', ['-acp', '1,2', String(pid)])
  return service
}

/** Prints the results and returns the violated bounds. */
function report(all: readonly WorkersWindow[], title: string): string[] {
  const windows = all.filter(({ busy }) => busy >= leastBusy)
  const of = (name: string) => windows.filter(({ target }) => target === name)
  const middle = (name: string, key: 'cpuMicrosPerCall' | 'callsPerSecond' | 'p50Ms' | 'p99Ms' | 'busiest') =>
    spread(of(name).map(window => window[key])).median
  const rows = targets.map(([name]) => [
    name,
    middle(name, 'cpuMicrosPerCall').toFixed(1),
    middle(name, 'callsPerSecond').toFixed(0),
    middle(name, 'p50Ms').toFixed(1),
    middle(name, 'p99Ms').toFixed(1),
    `${(100 * middle(name, 'busiest')).toFixed(0)} %`,
  ])
  /** Returns the ratios of the windows of `name` to the mean of the windows of `others` in the same round. */
  const ratio = (key: 'cpuMicrosPerCall' | 'callsPerSecond', name: string, others: readonly string[]) =>
    spread(
      of(name).flatMap(window => {
        const pairs = windows.filter(({ target, round }) => others.includes(target) && round === window.round)
        return pairs.length === 0
          ? []
          : [window[key] / (pairs.reduce((sum, pair) => sum + pair[key], 0) / pairs.length)]
      }),
    )
  const cpu = ratio('cpuMicrosPerCall', two, [one, again])
  const throughput = ratio('callsPerSecond', two, [one, again])
  if (cpu.count === 0)
    return [`no pair of windows in which a service had ${100 * leastBusy} % of a core: the machine is too busy`]
  const busiest = middle(two, 'busiest')

  process.stdout.write(
    `${title}\n\n${formatTable([['service', 'µs/call', 'calls/s', 'p50 ms', 'p99 ms', 'busiest worker'], ...rows])}\n`,
  )
  process.stdout.write(
    formatTable([
      ['ratio of the same round', 'median', 'min–max', 'pairs'],
      ...(
        [
          ['CPU per call, two / one', cpu],
          ['CPU per call, one again / one', ratio('cpuMicrosPerCall', again, [one])],
          ['calls/s, two / one', throughput],
        ] as const
      ).map(([name, { median, min, max, count }]) => [
        name,
        median.toFixed(2),
        `${min.toFixed(2)}–${max.toFixed(2)}`,
        String(count),
      ]),
    ]),
  )
  process.stdout.write(
    `\n${all.length - windows.length} of ${all.length} windows are left out: the service had less than ${100 * leastBusy} % of a core\n`,
  )
  return [
    ...(cpu.median <= bounds.cpu
      ? []
      : [`a call costs ${cpu.median.toFixed(2)} times as much with two workers, above the bound of ${bounds.cpu}`]),
    ...(busiest <= bounds.share
      ? []
      : [
          `the busier worker handled ${(100 * busiest).toFixed(0)} % of the runs, above the bound of ${100 * bounds.share} %`,
        ]),
    ...(!hasCores || throughput.median >= bounds.throughput
      ? []
      : [`two workers handle ${throughput.median.toFixed(2)} times as much, below the bound of ${bounds.throughput}`]),
  ]
}

function spread(values: readonly number[]) {
  const sorted = values.toSorted((a, b) => a - b)
  return { median: median(sorted), min: sorted[0] ?? NaN, max: sorted.at(-1) ?? NaN, count: sorted.length }
}
