import { spawnSync } from 'node:child_process'
import { bench } from '../../lib/bench.ts'
import { pinned, startChild } from '../../lib/child.ts'
import { formatTable } from '../../../src/commands/load/format.ts'
import { readFlags } from '../../lib/flags.ts'
import { httpCaller, type CompletedRequest } from '../../lib/http-caller.ts'
import type { DelayUpstreamStats, DelayUpstreamOptions } from '../../lib/delay-upstream.ts'
import { openLoop } from '../../lib/open-loop.ts'
import type { OverloadReport } from './service.ts'
import { percentile } from '../../lib/percentile.ts'

const help = `Measures a service under three times its capacity. A closed loop finds the peak rate. Then an open loop sends three times
that rate, and then half of it. In the first run the permits of the upstream (100 permits, 100 ms per call) limit the capacity, and
the results must be within bounds. In the second run the CPU limits the capacity, and the results are only reported.

Usage: npm run bench:overload -- [options]

  --seconds N  duration of the overload (default 20)
  --times N    multiple of the peak rate (default 3)
  --help       prints this
`

interface Capacity {
  readonly name: string
  readonly concurrency: number
  readonly upstreamMs: number
  readonly isBound: boolean
}

const fanout = 5
const capacities: readonly Capacity[] = [
  { name: 'permits', concurrency: 100, upstreamMs: 100, isBound: true },
  { name: 'CPU', concurrency: 64, upstreamMs: 0, isBound: false },
]
const callerCounts = [8, 16, 32, 64]
const head = [
  'capacity by',
  'peak /s',
  'offered',
  'whole',
  'of peak',
  'whole run',
  'refused',
  'other',
  'p99 ms whole',
  'refusal p50 inside',
  'p99 inside',
  'heap',
  'recovered ms',
  'permits in use',
  'upstream ms',
  'at peak',
]

await bench(async () => {
  const flags = readFlags(help, { seconds: 20, times: 3 })
  if (flags === undefined) return []
  // Pin the caller to the core of the upstream, so that the service has the other core.
  if (pinned) spawnSync('taskset', ['-cp', '0', String(process.pid)])
  const results = []
  for (const capacity of capacities) results.push(await overload(capacity, flags.seconds, flags.times))
  process.stdout.write(formatTable([head, ...results.map(({ row }) => row)]))
  return results.flatMap(({ violations }) => violations)
})

async function overload({ name, concurrency, upstreamMs, isBound }: Capacity, seconds: number, times: number) {
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
    [`http://127.0.0.1:${delayUpstream.port}`, String(concurrency), String(fanout)],
    1,
  )
  const caller = httpCaller(service.port, '/')
  const ask = () => service.request<OverloadReport>({ report: true })
  const open = async (perSecond: number, forSeconds: number) => {
    const startedAt = performance.now()
    await openLoop({ perSecond, seconds: forSeconds, send: (_index, dueAt) => caller.send(dueAt) })
    return { startedAt, ended: caller.takeCompleted() }
  }

  try {
    await closedLoop(caller, 16, 3000)
    let peak = 0
    for (const callers of callerCounts) peak = Math.max(peak, await closedLoop(caller, callers, 4000))

    const { meanDelayMs: peakMs } = await delayUpstream.request<DelayUpstreamStats>({ count: true })

    const calm = await open(peak / 2, 5)
    const calmP99 = percentile(wholeMs(calm.ended), 0.99)
    const before = await ask()
    await delayUpstream.request({ count: true })

    const { startedAt, ended } = await open(peak * times, seconds)
    const report = await ask()
    const { meanDelayMs } = await delayUpstream.request<DelayUpstreamStats>({ count: true })
    const refused = ended.filter(({ status }) => status === 503)
    const goodput = medianSecond(ended, startedAt, seconds)
    const mean =
      ended.filter(({ status, endedAt }) => status === 200 && endedAt <= startedAt + seconds * 1000).length / seconds

    const after = await open(peak / 2, 8)
    const recoveredMs = lastTrouble(after.ended, after.startedAt, 2 * calmP99)
    const { heapBytes } = await ask()

    const heap = heapBytes / before.heapBytes
    const violations = isBound
      ? [
          ...(goodput < 0.9 * peak
            ? [`goodput ${goodput.toFixed(0)}/s is below 0.9 of the peak, ${peak.toFixed(0)}/s`]
            : []),
          ...(report.refusalP99Ms !== null && report.refusalP99Ms >= 10
            ? [`the p99 of refusals inside the service is ${report.refusalP99Ms.toFixed(1)} ms, not below 10 ms`]
            : []),
          ...(heap > 1.1 ? [`the heap is ${heap.toFixed(2)} times its earlier size`] : []),
          ...(recoveredMs >= 5000 ? [`recovery took ${recoveredMs.toFixed(0)} ms, not below 5000 ms`] : []),
        ]
      : []
    const row = [
      name,
      peak.toFixed(0),
      (ended.length / seconds).toFixed(0),
      goodput.toFixed(0),
      (goodput / peak).toFixed(2),
      (mean / peak).toFixed(2),
      (refused.length / seconds).toFixed(0),
      String(ended.filter(({ status }) => status !== 200 && status !== 503).length),
      percentile(wholeMs(ended), 0.99).toFixed(0),
      report.refusalP50Ms?.toFixed(1) ?? '-',
      report.refusalP99Ms?.toFixed(1) ?? '-',
      heap.toFixed(2),
      recoveredMs.toFixed(0),
      `${(report.permitsInUse * 100).toFixed(0)} %`,
      meanDelayMs.toFixed(1),
      peakMs.toFixed(1),
    ]
    return { row, violations }
  } finally {
    await caller.close()
    await service.stop()
    await delayUpstream.stop()
  }
}

/**
 * Runs a closed loop: each caller sends the next request when it has its reply. Returns the median number of replies
 * with status 200 per second.
 */
async function closedLoop(caller: ReturnType<typeof httpCaller>, callers: number, ms: number): Promise<number> {
  const startedAt = performance.now()
  const until = startedAt + ms
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (performance.now() < until) await caller.send(performance.now())
    }),
  )
  return medianSecond(caller.takeCompleted(), startedAt, ms / 1000)
}

/**
 * Returns the median number of replies with status 200 per second. The median ignores single seconds in which the
 * machine stalled.
 */
function medianSecond(ended: readonly CompletedRequest[], startedAt: number, seconds: number): number {
  const counts = Array.from({ length: seconds }, () => 0)
  for (const { status, endedAt } of ended) {
    const second = Math.floor((endedAt - startedAt) / 1000)
    if (status === 200 && second < seconds) counts[second] = (counts[second] as number) + 1
  }
  return percentile(
    counts.sort((a, b) => a - b),
    0.5,
  )
}

function wholeMs(ended: readonly CompletedRequest[]): number[] {
  return ended
    .filter(({ status }) => status === 200)
    .map(({ dueAt, endedAt }) => endedAt - dueAt)
    .sort((a, b) => a - b)
}

/**
 * Returns the end of the last interval of 250 ms in which more than 10 % of the requests failed or were late, in ms
 * from the start.
 */
function lastTrouble(ended: readonly CompletedRequest[], startedAt: number, lateMs: number): number {
  const binMs = 250
  const bins = new Map<number, { all: number; bad: number }>()
  for (const { status, dueAt, endedAt } of ended) {
    const at = Math.floor((dueAt - startedAt) / binMs)
    const bin = bins.get(at) ?? { all: 0, bad: 0 }
    bin.all++
    if (status !== 200 || endedAt - dueAt > lateMs) bin.bad++
    bins.set(at, bin)
  }
  return Math.max(0, ...Array.from(bins, ([at, { all, bad }]) => (bad > all / 10 ? (at + 1) * binMs : 0)))
}
