import { bench } from '../../lib/bench.ts'
import { formatTable } from '../../../src/commands/load/format.ts'
import { readFlags } from '../../lib/flags.ts'
import { percentile } from '../../lib/percentile.ts'
import { measureTail, type TailCase, type TailRow } from './measure-tail.ts'

const help = `Measures the table of "The Tail at Scale": one root calls many leaves, and one attempt in a hundred is slow (1 s instead of 3
to 8 ms), with and without hedging. A seed selects the slow attempts, so each row also has the result expected from its seed.

Usage: npm run bench:tail -- [options]

  --seconds N     measured duration of each row (default 60)
  --per-second N  roots per second (default 15)
  --seed N        seed of the slow attempts (default 1)
  --help          prints this
`

const plain = { concurrency: 200, maxQueue: 2000, attemptTimeout: 3000, retry: false, breaker: false } as const
const cases: readonly TailCase[] = [
  { name: 'none slow', fanout: 100, slowRatio: 0, options: plain },
  { name: '1 % slow', fanout: 100, slowRatio: 0.01, options: plain },
  { name: '1 % slow, hedge', fanout: 100, slowRatio: 0.01, options: { ...plain, hedge: true } },
  {
    name: '1 % slow, hedge, all defaults',
    fanout: 100,
    slowRatio: 0.01,
    options: { concurrency: 200, maxQueue: 2000, attemptTimeout: 3000, hedge: true },
  },
  {
    name: '1 % slow, hedge, concurrency 100',
    fanout: 100,
    slowRatio: 0.01,
    options: { ...plain, concurrency: 100, hedge: true },
  },
  {
    name: '1 % slow, hedge, all twice as slow',
    fanout: 100,
    slowRatio: 0.01,
    options: { ...plain, hedge: true },
    factor: 2,
  },
  { name: '1 % slow, 50 leaves', fanout: 50, slowRatio: 0.01, options: plain },
  { name: '1 % slow, 50 leaves, hedge', fanout: 50, slowRatio: 0.01, options: { ...plain, hedge: true } },
  { name: '1 % slow, 10 leaves', fanout: 10, slowRatio: 0.01, options: plain },
  { name: '1 % slow, 10 leaves, hedge', fanout: 10, slowRatio: 0.01, options: { ...plain, hedge: true } },
]

const head = ['case', 'roots', 'p50 ms', 'p90', 'p99', 'slow', 'by draws', 'theory', 'extra calls', 'of 2nd half']
const percent = (share: number, digits = 1) => `${(share * 100).toFixed(digits)} %`

await bench(async () => {
  const flags = readFlags(help, { seconds: 60, 'per-second': 15, seed: 1 })
  if (flags === undefined) return []
  const rows: TailRow[] = []
  for (const each of cases) {
    const row = await measureTail(each, {
      seed: flags.seed,
      perSecond: flags['per-second'],
      seconds: flags.seconds,
      warmUpSeconds: 5,
    })
    process.stderr.write(`${each.name}: ${percent(row.slow)} slow\n`)
    rows.push(row)
  }
  process.stdout.write(formatTable([head, ...rows.map(cellsOf)]))
  return rows.filter(({ failed }) => failed > 0).map(({ name, failed }) => `${name}: ${failed} roots failed`)
})

function cellsOf({ name, roots, sortedMs, slow, computed, theory, extra, extraLate }: TailRow): string[] {
  const latencies = [0.5, 0.9, 0.99].map(share => percentile(sortedMs, share).toFixed(0))
  return [
    name,
    String(roots),
    ...latencies,
    percent(slow),
    percent(computed),
    percent(theory),
    percent(extra, 2),
    percent(extraLate, 2),
  ]
}
