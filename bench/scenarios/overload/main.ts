import { spawnSync } from 'node:child_process'
import { bench } from '../../lib/bench.ts'
import { pinned, startChild } from '../../lib/child.ts'
import { formatTable } from '../../../src/commands/load/format.ts'
import { readFlags } from '../../lib/flags.ts'
import { httpCaller } from '../../lib/http-caller.ts'
import type { DelayUpstreamStats, DelayUpstreamOptions } from '../../lib/delay-upstream.ts'
import { openLoop } from '../../lib/open-loop.ts'
import { percentile } from '../../lib/percentile.ts'
import { cpuHead, cpuRow, cpuViolations } from './cpu-report.ts'
import { lastTrouble, medianSecond, wholeMs } from './figures.ts'
import { measureCpu } from './measure-cpu.ts'
import type { OverloadReport } from './service.ts'

const help = `Measures a service under three times its capacity. A closed loop finds the peak rate. Then an open loop sends three times
that rate, and then half of it. In the first part the permits of the upstream (100 permits, 100 ms per call) limit the capacity. In the
second part the CPU limits the capacity of headwaters serve, at fan-outs 20 and 5. The limits apply to the first part and to fan-out 20.

Usage: npm run bench:overload -- [options]

  --seconds N  duration of the overload (default 20)
  --times N    multiple of the peak rate (default 3)
  --help       prints this
`

const fanout = 5
const concurrency = 100
const upstreamMs = 100
/** The limits of the report apply to the first one. */
const cpuFanouts = [20, 5]
const callerCounts = [8, 16, 32, 64]
const head = [
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
  const { row, violations } = await overload(flags.seconds, flags.times)
  process.stdout.write(`capacity by permits:\n${formatTable([head, row])}`)
  const figures = []
  for (const each of cpuFanouts)
    figures.push(await measureCpu({ fanout: each, seconds: flags.seconds, times: flags.times }))
  process.stdout.write(`\ncapacity by CPU:\n${formatTable([cpuHead, ...figures.map(cpuRow)])}`)
  return [...violations, ...figures.slice(0, 1).flatMap(cpuViolations)]
})

async function overload(seconds: number, times: number) {
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
    const violations = [
      ...(goodput < 0.9 * peak
        ? [`goodput ${goodput.toFixed(0)}/s is below 0.9 of the peak, ${peak.toFixed(0)}/s`]
        : []),
      ...(report.refusalP99Ms !== null && report.refusalP99Ms >= 10
        ? [`the p99 of refusals inside the service is ${report.refusalP99Ms.toFixed(1)} ms, not below 10 ms`]
        : []),
      ...(heap > 1.1 ? [`the heap is ${heap.toFixed(2)} times its earlier size`] : []),
      ...(recoveredMs >= 5000 ? [`recovery took ${recoveredMs.toFixed(0)} ms, not below 5000 ms`] : []),
    ]
    const row = [
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
