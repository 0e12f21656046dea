import { formatTable } from '../../../src/commands/load/format.ts'
import { allEqual, oneSlow, simulateSeeds, simulationRows } from '../../../test/helpers/simulated-origins.ts'
import { bench } from '../../lib/bench.ts'
import { readFlags } from '../../lib/flags.ts'
import { median } from '../../lib/percentile.ts'
import { allGood, faulty, OriginsClient, p99Of, sharesOf, startOrigins } from './measure-origins.ts'
import { measureCost } from './measure-cost.ts'
import { violationsOf } from './violations.ts'
import type { UpstreamReport } from './upstream.ts'

const help = `Measures an upstream with ten origins, of which one is slow by 10 ×, one fails and one fails in every other 2 s, beside
ten good ones. Then measures the CPU time of a call to ten origins and to one. With --simulate, plays origins on a simulated
clock with four ways to choose: random, round-robin, the power of two choices, and the same with peak EWMA.

Usage: npm run bench:origins -- [options]
       npm run bench:origins -- --simulate [options]

  --windows N     measured windows of the two clients, in turns (default 5)
  --seconds N     duration of a window (default 4)
  --per-second N  calls per second (default 300)
  --help          prints this

  --seeds N       seeds of the simulation (default 50)
  --calls N       calls of each seed (default 50000)
`

const [mode, ...rest] = process.argv.slice(2)
await bench(mode === '--simulate' ? () => Promise.resolve(simulate(rest)) : measure)

function simulate(args: readonly string[]): string[] {
  const flags = readFlags(help, { seeds: 50, calls: 50_000 }, args)
  if (flags === undefined) return []
  const { seeds, calls } = flags
  for (const [title, scene] of [
    ['One of ten origins is slow by 10 ×', oneSlow],
    ['Ten equal origins at 70 % of their capacity', allEqual],
  ] as const) {
    const results = simulateSeeds({ ...scene, calls }, seeds)
    process.stdout.write(`${title}, ${seeds} seeds, median and worst:\n${formatTable(simulationRows(results))}\n`)
  }
  return []
}

async function measure(): Promise<readonly string[]> {
  const flags = readFlags(help, { windows: 5, seconds: 4, 'per-second': 300 })
  if (flags === undefined) return []
  const load = { perSecond: flags['per-second'], seconds: flags.seconds }
  const child = await startOrigins()
  const { ports } = await child.request<UpstreamReport>({ report: true })
  const good = new OriginsClient({ ports })
  const bad = new OriginsClient({ ports })
  for (const client of [good, bad]) await client.measure(child, allGood, load)
  const windows = []
  for (let index = 0; index < flags.windows; index++)
    windows.push({ good: await good.measure(child, allGood, load), bad: await bad.measure(child, faulty, load) })
  await good.close()
  await bad.close()

  const rows = windows.map((pair, index) => [
    String(index + 1),
    p99Of(pair.good).toFixed(1),
    p99Of(pair.bad).toFixed(1),
    (p99Of(pair.bad) / p99Of(pair.good)).toFixed(2),
    ...[0, 1, 2].map(origin => percent(median(sharesOf(pair.bad, origin)))),
    String(pair.bad.failed),
  ])
  process.stdout.write(
    formatTable([
      ['window', 'p99 ms, good', 'faulty', 'ratio', 'slow', 'failing', 'flapping', 'failed calls'],
      ...rows,
    ]),
  )
  const cost = await measureCost(child, ports)
  process.stdout.write(
    `\nCPU time of a call: ${cost.one.toFixed(1)} µs with one origin, ${cost.ten.toFixed(1)} µs with ten, ratio ${cost.ratio.toFixed(2)}\n`,
  )
  return violationsOf(windows)
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`
}
