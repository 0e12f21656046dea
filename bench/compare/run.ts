import { readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { bench } from '../lib/bench.ts'
import { chartOf } from './report/chart.ts'
import { pinned } from '../lib/child.ts'
import { checkLimits, exceededLimits, limitText } from './report/limits.ts'
import { markdownOf } from './report/markdown.ts'
import { measure } from './measure/measure.ts'
import type { Plan } from './measure/measure.ts'
import { readOptions } from './options.ts'
import { writePages } from './report/pages.ts'
import { bracketsText, growthTableOf, tableOf } from './report/tables.ts'
import { captionOf } from './report/result.ts'
import type { Result } from './report/result.ts'
import { rowLabel } from './workload/row.ts'
import { settings } from './workload/settings.ts'
import { withTwin } from './targets.ts'

await bench(async () => {
  const options = readOptions(process.argv.slice(2))
  if (options === undefined) return []
  const { print, svg, write, limits } = options
  // JSON and Markdown are input for other programs. So notes go to stderr, and stdout has only the result.
  const note = print === 'tables' ? console.log : console.error
  const result =
    options.from === undefined
      ? await measured(options.plan, note)
      : (JSON.parse(readFileSync(options.from, 'utf8')) as Result)
  const { measurement } = result
  if (print === 'tables' && options.from !== undefined)
    for (const row of measurement.rows) note(tableOf(row, measurement))
  if (print === 'tables') note(growthTableOf(measurement))
  if (print === 'json') console.log(JSON.stringify(result, null, 2))
  if (print === 'markdown') console.log(markdownOf(measurement))
  if (svg !== undefined) writeFileSync(svg, chartOf(measurement, captionOf(result)))
  if (write) writePages(result)

  const empty = measurement.rows.flatMap(({ row, windows }) =>
    measurement.targets
      .filter(name => !windows.some(({ target }) => target === name))
      .map(name => `${name} at fan-out ${rowLabel(row)}`),
  )
  if (empty.length > 0) throw new Error(`no window left: ${empty.join(', ')}`)
  if (!limits) return []
  const checked = checkLimits(measurement)
  for (const each of checked) note(limitText(each))
  return exceededLimits(checked)
})

async function measured(plan: Plan, note: (line: string) => void): Promise<Result> {
  const { rounds, windowMs, filler, delayMs, against } = plan
  const node = process.versions.node
  const cpu = cpus()[0]?.model ?? 'unknown'
  note(
    `Node ${node}, ${cpu}; ${pinned ? 'target on one core, upstream and load on the other' : 'processes not pinned: taskset is missing'}`,
  )
  if (against !== undefined) note(`other: ${against}`)
  note(
    `${plan.case}: ${rounds} rounds of ${windowMs} ms, bodies of ${filler} after ${delayMs} ms, concurrency ` +
      `${settings.concurrency} per upstream and ${settings.stepConcurrency} per step; in brackets ${bracketsText(rounds)}\n`,
  )
  const measurement = await measure({ ...plan, targets: withTwin(plan.targets) }, note, (row, soFar) =>
    note(tableOf(row, soFar)),
  )
  return { date: new Date().toISOString().slice(0, 10), node, cpu, pinned, settings, plan, measurement }
}
