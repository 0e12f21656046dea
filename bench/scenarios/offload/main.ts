import { spawnSync } from 'node:child_process'
import { bench } from '../../lib/bench.ts'
import { pinned, startChild } from '../../lib/child.ts'
import { formatTable } from '../../../src/commands/load/format.ts'
import { readFlags } from '../../lib/flags.ts'
import { httpCaller } from '../../lib/http-caller.ts'
import type { DelayUpstreamOptions } from '../../lib/delay-upstream.ts'
import { openLoop } from '../../lib/open-loop.ts'
import { median, percentile } from '../../lib/percentile.ts'

const help = `Measures how a merge that keeps a core busy for 200 ms slows down the other aggregates of its service. An open loop requests
a cheap aggregate (fan-out 5) alone, twice (the difference is the noise), then with such merges in a thread, and then with such
merges on the event loop. Windows take turns. A round counts only if the p99 of both calm windows is below twice the lowest p99.

Usage: npm run bench:offload -- [options]

  --rounds N      windows of each variant (default 20)
  --seconds N     length of a window (default 3)
  --per-second N  requests per second of the cheap aggregate (default 100)
  --burns N       requests per second with an expensive merge (default 2)
  --help          prints this
`

const variants = ['calm', 'calm again', 'offloaded', 'on the loop'] as const
type Variant = (typeof variants)[number]

interface Window {
  readonly p50: number
  readonly p99: number
  /** Median latency of the burning requests, in ms. */
  readonly burnP50: number
  readonly failed: number
}

const upstreamMs = 5

await bench(async () => {
  const flags = readFlags(help, { rounds: 20, seconds: 3, 'per-second': 100, burns: 2 })
  if (flags === undefined) return []
  const spread: DelayUpstreamOptions = {
    seed: 1,
    slowRatio: 0,
    slowMs: 0,
    fastFromMs: upstreamMs,
    fastToMs: upstreamMs,
  }
  const delayUpstream = await startChild(
    'upstream',
    new URL('../../lib/delay-upstream.ts', import.meta.url),
    [JSON.stringify(spread)],
    0,
  )
  const service = await startChild(
    'service',
    new URL('./service.ts', import.meta.url),
    [`http://127.0.0.1:${delayUpstream.port}`],
    'any',
  )
  const [cheap, offloaded, here] = ['/cheap', '/offloaded', '/here'].map(path => httpCaller(service.port, path)) as [
    ReturnType<typeof httpCaller>,
    ReturnType<typeof httpCaller>,
    ReturnType<typeof httpCaller>,
  ]
  const burning: Readonly<Record<Variant, typeof cheap | undefined>> = {
    calm: undefined,
    'calm again': undefined,
    offloaded,
    'on the loop': here,
  }

  async function measure(kind: Variant, seconds: number): Promise<Window> {
    const burns = burning[kind]
    await Promise.all([
      openLoop({ perSecond: flags?.['per-second'] ?? 0, seconds, send: (_index, dueAt) => cheap.send(dueAt) }),
      ...(burns === undefined
        ? []
        : [openLoop({ perSecond: flags?.burns ?? 0, seconds, send: (_index, dueAt) => burns.send(dueAt) })]),
    ])
    const ended = cheap.takeCompleted()
    const burnt = burns?.takeCompleted() ?? []
    const [sorted, burnSorted] = [ended, burnt].map(each =>
      each.map(({ dueAt, endedAt }) => endedAt - dueAt).sort((a, b) => a - b),
    ) as [number[], number[]]
    return {
      p50: percentile(sorted, 0.5),
      p99: percentile(sorted, 0.99),
      burnP50: percentile(burnSorted, 0.5),
      failed: [...ended, ...burnt].filter(({ status }) => status !== 200).length,
    }
  }

  for (const kind of variants) await measure(kind, 2)
  // Pin the caller to the core of the upstream, and the event loop of the service to the other core. Only the worker
  // thread of the service can also use that core.
  if (pinned) {
    spawnSync('taskset', ['-cp', '0', String(process.pid)])
    await service.request({ pin: 1 })
  }

  const windows = Object.fromEntries(variants.map(kind => [kind, []])) as unknown as Record<Variant, Window[]>
  for (let round = 0; round < flags.rounds; round++) {
    const first = round % variants.length
    for (const kind of [...variants.slice(first), ...variants.slice(0, first)])
      windows[kind].push(await measure(kind, flags.seconds))
    process.stderr.write(
      `round ${round + 1}: p99 ${variants.map(kind => `${kind} ${windows[kind].at(-1)?.p99.toFixed(1)}`).join(', ')}\n`,
    )
  }
  await Promise.all([cheap, offloaded, here].map(caller => caller.close()))

  const calmest = Math.min(...[...windows.calm, ...windows['calm again']].map(({ p99 }) => p99))
  const quiet = windows.calm.flatMap((window, round) =>
    Math.max(window.p99, windows['calm again'][round]?.p99 ?? 0) <= 2 * calmest ? [round] : [],
  )
  for (const kind of variants) windows[kind] = quiet.map(round => windows[kind][round] as Window)
  process.stdout.write(`${quiet.length} of ${flags.rounds} rounds were quiet\n\n`)
  if (quiet.length < 3) return ['too few quiet rounds: run the benchmark on a machine that does nothing else']
  const ratios = (kind: Variant, of: 'p50' | 'p99') =>
    windows[kind].map((window, round) => window[of] / (windows.calm[round] as Window)[of]).sort((a, b) => a - b)
  const head = ['variant', 'p50 ms', 'p99 ms', 'p50 / calm', 'p99 / calm', 'min-max', 'burning p50 ms', 'failed']
  process.stdout.write(
    formatTable([
      head,
      ...variants.map(kind => {
        const of = ratios(kind, 'p99')
        const medianOf = (field: 'p50' | 'p99' | 'burnP50') => median(windows[kind].map(window => window[field]))
        return [
          kind,
          medianOf('p50').toFixed(1),
          medianOf('p99').toFixed(1),
          median(ratios(kind, 'p50')).toFixed(2),
          median(of).toFixed(2),
          `${of[0]?.toFixed(2)}-${of.at(-1)?.toFixed(2)}`,
          burning[kind] === undefined ? '' : medianOf('burnP50').toFixed(0),
          String(windows[kind].reduce((sum, { failed }) => sum + failed, 0)),
        ]
      }),
    ]),
  )

  const twin = median(ratios('calm again', 'p99'))
  const bound = Math.max(1.25, twin, 1 / twin)
  const ratio = median(ratios('offloaded', 'p99'))
  // Do not count failures of `here`: its merge blocks the event loop, so other requests are expected to fail.
  const failed = [windows.calm, windows['calm again'], windows.offloaded]
    .flat()
    .reduce((sum, window) => sum + window.failed, 0)
  return [
    ...(ratio > bound
      ? [`p99 beside offloaded merges is ${ratio.toFixed(2)} of the calm one, above ${bound.toFixed(2)}`]
      : []),
    ...(failed > 0 ? [`${failed} requests were not answered with 200`] : []),
  ]
})
