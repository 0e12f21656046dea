import { measureCase } from '../../compare/measure/measure.ts'
import { intervalText, tableOf } from '../../compare/report/tables.ts'
import { usual } from '../../compare/workload/row.ts'
import { bench } from '../../lib/bench.ts'
import { readFlags } from '../../lib/flags.ts'
import { calmCase } from './case.ts'
import { comparisonsOf, limits, violationsOf } from './violations.ts'

const help = `Measures headwaters serve at low load, beside Pool.request by hand. No limit delays a call, and the step has no
concurrency of its own. The targets take turns. The exit code is 1 if the p50 is above ${limits.p50Ms} times that of Pool.request,
or the CPU time per call above ${limits.cpuMicrosPerCall} times (medians of the rounds).

Usage: npm run bench:calm -- [options]

  --rounds N       windows of each target (default 15)
  --ms N           length of a window (default 1000)
  --callers N      concurrent requests (default 4)
  --fanout N       calls of each request (default 20)
  --upstream-ms N  time that the upstream takes for a call (default 20)
  --foreign N      % of the target's core that other processes may use before a window is dropped (default 25)
  --help           prints this
`

await bench(async () => {
  const flags = readFlags(help, { rounds: 15, ms: 1000, callers: 4, fanout: 20, 'upstream-ms': 20, foreign: 25 })
  if (flags === undefined) return []
  const { rounds, callers, fanout } = flags
  const measurement = await measureCase(
    calmCase,
    {
      targets: calmCase.targets,
      rows: [{ fanout, callers, bodyBytes: usual.bodyBytes }],
      rounds,
      windowMs: flags.ms,
      filler: 'fields',
      delayMs: flags['upstream-ms'],
      slowMs: 0,
      foreignLimit: flags.foreign / 100,
    },
    line => process.stdout.write(`${line}\n`),
  )
  const [row] = measurement.rows
  if (row === undefined) return []
  process.stdout.write(`${tableOf(row, measurement)}\n`)
  for (const { name, limit, ratio } of comparisonsOf(row))
    if (ratio !== undefined) process.stdout.write(`${name}: ${intervalText(ratio)} of Pool.request, limit ${limit}\n`)
  return violationsOf(row)
})
