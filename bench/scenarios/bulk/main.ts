import { spawnSync } from 'node:child_process'
import { formatTable } from '../../../src/commands/load/format.ts'
import { bench } from '../../lib/bench.ts'
import { pinned } from '../../lib/child.ts'
import { median } from '../../lib/percentile.ts'
import { readFlags } from '../../lib/flags.ts'
import { reportCrashes } from './crashes/report.ts'
import { measureBulk, type BulkRound } from './measure-bulk.ts'

/** The largest ratio of the p99 beside a bulk run to the p99 without it. */
const maxRatio = 1.3

const help = `Measures live requests of headwaters serve with and without a bulk run of the same upstream. Their windows take turns, and
both have a fan-out of 5. The exit code is 1 if the median ratio of the p99 is above ${maxRatio}, if a live request has no reply with
status 200, or if an item fails.

With --crashes, runs items in two services that share a queue on Redis, and then in one service with a journal on disk. Kills workers,
services and Redis meanwhile, and starts Redis again empty. The exit code is 1 if an item is not exactly once in the results.

Usage: npm run bench:bulk -- [options]

  --crashes    runs items and kills processes
  --items N    items of the run, more than the windows need (default 100000)
  --rate N     live requests per second (default 100)
  --rounds N   windows of each kind (default 9)
  --seconds N  length of a window (default 5)
  --delay N    time of a call to the upstream, in ms (default 20)
  --help       prints this
`

const crashes = '--crashes'

await bench(async () => {
  const args = process.argv.slice(2).filter(arg => arg !== crashes)
  const flags = readFlags(help, { items: 100_000, rate: 100, rounds: 9, seconds: 5, delay: 20 }, args)
  if (flags === undefined) return []
  if (process.argv.includes(crashes)) return reportCrashes(flags.items)
  // Pin the caller to the core of the upstream, so that the service has the other core.
  if (pinned) spawnSync('taskset', ['-cp', '0', String(process.pid)])
  const rounds = await measureBulk(flags)
  const ratio = median(rounds.map(ratioOf))
  process.stdout.write(
    formatTable([
      ['round', 'p99 ms', 'beside the run', 'ratio', 'items /s', 'not 200'],
      ...rounds.map((round, index) => [
        String(index + 1),
        round.alone.p99Ms.toFixed(1),
        round.beside.p99Ms.toFixed(1),
        ratioOf(round).toFixed(2),
        round.itemsPerSecond.toFixed(0),
        String(failuresOf(round)),
      ]),
    ]),
  )
  process.stdout.write(`median ratio of the p99: ${ratio.toFixed(2)}\n`)
  const failures = rounds.reduce((sum, round) => sum + failuresOf(round), 0)
  return [
    ...(ratio > maxRatio
      ? [`the p99 beside the run is ${ratio.toFixed(2)} times that without it, above ${maxRatio}`]
      : []),
    ...(failures > 0 ? [`${failures} live requests have no reply with status 200`] : []),
  ]
})

function ratioOf({ alone, beside }: BulkRound): number {
  return beside.p99Ms / alone.p99Ms
}

function failuresOf({ alone, beside }: BulkRound): number {
  return alone.refused + alone.other + beside.refused + beside.other
}
