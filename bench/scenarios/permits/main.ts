import { spawnSync } from 'node:child_process'
import { formatTable } from '../../../src/commands/load/format.ts'
import { bench } from '../../lib/bench.ts'
import { pinned } from '../../lib/child.ts'
import { readFlags } from '../../lib/flags.ts'
import type { OpenLoopFigures } from '../../lib/open-loop-figures.ts'
import { measurePermits } from './measure-permits.ts'
import { limits, summariesOf, violationsOf } from './violations.ts'

const help = `Measures headwaters serve when the permits of its upstream limit the capacity. Closed loops find the peak. In each
round, open loops send half of the peak, twice the peak and three times the peak. The exit code is 1 if the whole
answers are below ${limits.wholeToPeak} of the peak, or their p99 is above ${limits.p99ToCalm} times the p99 at half of
the peak (medians of the quiet rounds, whose calm p99 is at most twice the lowest).

Usage: npm run bench:permits -- [options]

  --seconds N      duration of each open loop (default 20)
  --rounds N       rounds (default 3)
  --permits N      permits of the upstream (default 20)
  --upstream-ms N  time that the upstream takes for a call (default 25)
  --fanout N       calls of each request (default 5)
  --help           prints this
`

const head = ['load', 'offered /s', 'whole /s', 'of peak', 'refused', 'other', 'p50 ms', 'p99 ms', 'p99 / calm']

await bench(async () => {
  const flags = readFlags(help, { seconds: 20, rounds: 3, permits: 20, 'upstream-ms': 25, fanout: 5 })
  if (flags === undefined) return []
  // Pin the caller to the core of the upstream, so that the service has the other core.
  if (pinned) spawnSync('taskset', ['-cp', '0', String(process.pid)])
  const { seconds, rounds, permits, fanout } = flags
  const measurement = await measurePermits({
    permits,
    upstreamMs: flags['upstream-ms'],
    fanout,
    times: [2, 3],
    rounds,
    seconds,
  })
  const { peak, windows } = measurement
  const cellsOf = (load: string, figures: OpenLoopFigures, calm: OpenLoopFigures) => [
    load,
    figures.offered.toFixed(0),
    figures.whole.toFixed(0),
    (figures.whole / peak).toFixed(2),
    String(figures.refused),
    String(figures.other),
    figures.p50Ms.toFixed(1),
    figures.p99Ms.toFixed(1),
    (figures.p99Ms / calm.p99Ms).toFixed(2),
  ]
  const calms = [...new Set(windows.map(({ calm }) => calm))]
  process.stdout.write(
    `peak ${peak.toFixed(0)}/s; ${permits} permits of ${flags['upstream-ms']} ms, fan-out ${fanout}, ${rounds} rounds\n\n`,
  )
  process.stdout.write(
    formatTable([
      head,
      ...calms.flatMap(calm => [
        cellsOf('0.5 × peak', calm, calm),
        ...windows
          .filter(window => window.calm === calm)
          .map(({ times, overload }) => cellsOf(`${times} × peak`, overload, calm)),
      ]),
    ]),
  )
  for (const { times, quietRounds, wholeToPeak, p99ToCalm } of summariesOf(measurement))
    process.stdout.write(
      `${times} × peak: whole ${wholeToPeak.toFixed(2)} of the peak, p99 ${p99ToCalm.toFixed(2)} of the calm p99; ` +
        `${quietRounds} of ${rounds} rounds were quiet\n`,
    )
  return violationsOf(measurement)
})
