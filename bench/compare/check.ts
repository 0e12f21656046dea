import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bench } from '../lib/bench.ts'
import { pinned } from '../lib/child.ts'
import { medianInterval } from '../lib/confidence-interval.ts'
import { measure } from './measure/measure.ts'
import type { Plan } from './measure/measure.ts'
import { ratioOf } from './report/ratios.ts'
import { intervalText } from './report/tables.ts'
import { readRows, usual } from './workload/row.ts'
import type { Row } from './workload/row.ts'
import { runsNeeded, tolerance, regressions } from './regression.ts'
import type { Ratios } from './regression.ts'

interface Baseline {
  readonly ratios: Ratios
  /** The plan of the measurement. */
  readonly plan: ReturnType<typeof recorded>
  readonly node: string
  readonly pinned: boolean
  readonly date: string
}

const help = `node bench/compare/check.ts: measures the CPU ratio of headwaters serve to the pool.dispatch floor, and compares
it with bench/compare/baseline.json

  --update   measure ${runsNeeded} times and write the medians as the baseline
  --help
`

const file = join(import.meta.dirname, 'baseline.json')

/**
 * The plan keeps disturbed windows (`foreignLimit`). A disturbance cannot explain a worse ratio, because a ratio
 * counts as worse only if three runs agree.
 */
const plan: Plan = {
  case: 'serve',
  targets: ['serve', 'floor-dispatch'],
  rows: readRows('5,20', usual),
  rounds: 11,
  windowMs: 400,
  filler: 'fields',
  delayMs: 0,
  slowMs: 0,
  foreignLimit: Infinity,
}

await bench(async () => {
  const argv = process.argv.slice(2)
  const unknown = argv.find(each => !['--update', '--help'].includes(each))
  if (unknown !== undefined) throw new TypeError(`unknown option '${unknown}': see --help`)
  if (argv.includes('--help')) {
    process.stdout.write(help)
    return []
  }
  return argv.includes('--update') ? update() : check()
})

async function check(): Promise<string[]> {
  const baseline = JSON.parse(readFileSync(file, 'utf8')) as Baseline
  if (JSON.stringify(baseline.plan) !== JSON.stringify(recorded(plan)))
    throw new Error(
      'bench/compare/baseline.json was measured with other settings: run `npm run bench:check -- --update`',
    )
  const runs: Ratios[] = []
  let worse: string[] = []
  do {
    runs.push(
      await measured(
        runs.length + 1,
        plan.rows.filter(({ fanout }) => runs.length === 0 || worse.includes(String(fanout))),
      ),
    )
    worse = regressions(baseline.ratios, runs)
    for (const fanout of worse)
      console.log(
        `fan-out ${fanout}: worse than ${baseline.ratios[fanout]} by more than ${Math.round((tolerance - 1) * 100)} %`,
      )
  } while (worse.length > 0 && runs.length < runsNeeded)
  return worse.map(
    fanout =>
      `at fan-out ${fanout} the ratio to the floor is ${runs.map(run => run[fanout]).join(', ')} in ` +
      `all ${runsNeeded} runs; the baseline is ${baseline.ratios[fanout]}`,
  )
}

async function update(): Promise<string[]> {
  const runs: Ratios[] = []
  while (runs.length < runsNeeded) runs.push(await measured(runs.length + 1, plan.rows))
  const ratios = Object.fromEntries(
    plan.rows.map(({ fanout }) => [fanout, rounded(medianInterval(runs.map(run => run[fanout] ?? NaN)).median)]),
  )
  const baseline = {
    ratios,
    plan: recorded(plan),
    node: process.versions.node,
    pinned,
    date: new Date().toISOString().slice(0, 10),
  }
  writeFileSync(file, `${JSON.stringify(baseline, null, 2)}\n`)
  return []
}

async function measured(run: number, rows: readonly Row[]): Promise<Ratios> {
  const measurement = await measure({ ...plan, rows }, console.log)
  return Object.fromEntries(
    measurement.rows.map(({ row: { fanout }, windows }) => {
      const ratio = ratioOf(windows, 'serve', 'floor-dispatch')
      if (ratio === undefined)
        throw new Error(`fan-out ${fanout}: no round in which both targets answered every request`)
      console.log(
        `run ${run}, fan-out ${fanout}: serve / floor-dispatch ${intervalText(ratio)}, best ${ratio.best.toFixed(2)}`,
      )
      return [fanout, rounded(ratio.median)]
    }),
  )
}

/** Returns the fields of a plan that must be equal for ratios to be comparable. */
function recorded(value: Plan) {
  const { foreignLimit: _limit, ...rest } = value
  return rest
}

function rounded(ratio: number) {
  return Math.round(ratio * 1000) / 1000
}
