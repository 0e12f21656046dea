import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { bench } from './bench.ts'
import { chartOf } from './chart.ts'
import { pinned } from './child.ts'
import { markdownOf } from './markdown.ts'
import { measure } from './measure.ts'
import { readOptions } from './options.ts'
import type { Options } from './options.ts'
import { goVersion } from './peers/go.ts'
import { ratiosOf } from './ratios.ts'
import { bracketsText, tableOf } from './report.ts'
import { settings } from './settings.ts'
import { withTwin } from './targets.ts'

await bench(async () => {
  const options = readOptions(process.argv.slice(2))
  if (options !== undefined) await run(options)
  return []
})

async function run (options: Options): Promise<void> {
  const { rounds, windowMs, callers, bodyBytes, filler, delayMs, print, svg } = options
  // What is printed to be used elsewhere is alone on the output.
  const note = print === 'tables' ? console.log : console.error
  const node = process.versions.node
  const go = options.targets.includes('go') ? await goVersion() : undefined
  const cpu = cpus()[0]?.model ?? 'unknown'

  note(`Node ${node}${go === undefined ? '' : `, ${go}`}, ${cpu}; ${pinned ? 'target on one core, upstream and load on the other' : 'processes not pinned: taskset is missing'}`)
  note(`${rounds} rounds of ${windowMs} ms, ${callers} callers, bodies of ${bodyBytes} B${bodyBytes > 250 ? ` (${filler})` : ''} after ${delayMs} ms, ${settings.slots} slots, width ${settings.width}; in brackets ${bracketsText(rounds)}\n`)
  const measurement = await measure({ ...options, targets: withTwin(options.targets) }, note, (measured, soFar) => note(tableOf(measured, soFar)))

  const fanouts = measurement.fanouts.map(each => ({ fanout: each.fanout, ratios: ratiosOf(each.windows, measurement.targets), dropped: each.dropped, windows: each.windows }))
  if (print === 'json') console.log(JSON.stringify({ node, go, cpu, pinned, settings, options, targets: measurement.targets, idleBytes: measurement.idleBytes, fanouts }, null, 2))
  if (print === 'markdown') console.log(markdownOf(measurement))
  if (svg !== undefined) writeFileSync(svg, chartOf(measurement, `Node ${node}${go === undefined ? '' : `, ${go}`}; ${rounds} rounds, ${callers} callers, bodies of ${bodyBytes} B; ${new Date().toISOString().slice(0, 10)}`))

  const empty = measurement.fanouts.flatMap(({ fanout, windows }) => measurement.targets
    .filter(name => !windows.some(({ target }) => target === name))
    .map(name => `${name} at fan-out ${fanout}`))
  if (empty.length > 0) throw new Error(`no window left: ${empty.join(', ')}`)
}
