import { spawnSync } from 'node:child_process'
import { formatTable } from '../../../src/commands/load/format.ts'
import { bench } from '../../lib/bench.ts'
import { pinned } from '../../lib/child.ts'
import { readFlags } from '../../lib/flags.ts'
import type { OpenLoopFigures } from '../../lib/open-loop-figures.ts'
import { capacityOf, measureFairness } from './measure-fairness.ts'
import { limits, summariesOf, violationsOf } from './violations.ts'

const help = `Measures two aggregates of headwaters serve that share one upstream. The light one receives a quarter of what the
permits allow. The heavy one receives another quarter (calm), and then ten times what the permits allow (flood).
There are three light aggregates: equal to the heavy one, with a deadline of 800 ms instead of 2000, and a POST beside GETs.
The exit code is 1 if fewer than ${limits.whole * 100} % of the light requests are answered whole beside the flood, or if their p99 is
above ${limits.p99ToCalm} times the calm p99 (quiet rounds, whose calm p99 is at most twice the lowest).

Usage: npm run bench:fairness -- [options]

  --seconds N      duration of each open loop (default 20)
  --rounds N       rounds of the six loads (default 3)
  --permits N      permits of the upstream (default 8)
  --upstream-ms N  time that the upstream takes for a call (default 20)
  --fanout N       calls of each request (default 5)
  --times N        requests of the heavy aggregate, as a multiple of what the permits allow (default 10)
  --help           prints this
`

const head = [
  'light aggregate',
  'heavy',
  'offered /s',
  'whole',
  'refused',
  'other',
  'p50 ms',
  'p99 ms',
  'heavy whole /s',
]

await bench(async () => {
  const flags = readFlags(help, { seconds: 20, rounds: 3, permits: 8, 'upstream-ms': 20, fanout: 5, times: 10 })
  if (flags === undefined) return []
  // Pin the caller to the core of the upstream, so that the service has the other core.
  if (pinned) spawnSync('taskset', ['-cp', '0', String(process.pid)])
  const options = { ...flags, upstreamMs: flags['upstream-ms'] }
  const windows = await measureFairness(options)
  const cellsOf = (variant: string, heavy: string, figures: OpenLoopFigures, heavyWhole = '') => [
    variant,
    heavy,
    figures.offered.toFixed(0),
    `${(figures.wholeRatio * 100).toFixed(1)} %`,
    String(figures.refused),
    String(figures.other),
    figures.p50Ms.toFixed(1),
    figures.p99Ms.toFixed(1),
    heavyWhole,
  ]
  process.stdout.write(
    `the permits allow ${capacityOf(options).toFixed(0)} requests/s; ${flags.permits} permits of ${options.upstreamMs} ms, ` +
      `fan-out ${flags.fanout}, ${flags.rounds} rounds\n\n`,
  )
  process.stdout.write(
    formatTable([
      head,
      ...windows.flatMap(({ variant, calm, flood, heavy }) => [
        cellsOf(variant, 'calm', calm),
        cellsOf(variant, `${heavy.offered.toFixed(0)}/s`, flood, heavy.whole.toFixed(0)),
      ]),
    ]),
  )
  for (const { variant, quietRounds, whole, p99ToCalm } of summariesOf(windows))
    process.stdout.write(
      `${variant}: ${(whole * 100).toFixed(1)} % whole, p99 ${p99ToCalm.toFixed(2)} of the calm p99; ` +
        `${quietRounds} of ${flags.rounds} rounds were quiet\n`,
    )
  return violationsOf(windows)
})
