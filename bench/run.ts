import { pinned, startChild, stopChildren } from './child.ts'
import type { Child } from './child.ts'
import { readOptions } from './options.ts'
import type { Options } from './options.ts'
import { ratiosOf, tableOf, twin } from './report.ts'
import { settings } from './settings.ts'
import { drive, measureWindow } from './window.ts'
import type { Window } from './window.ts'

/** The engine optimises by counts of calls, so this one is long and at a high fan-out. */
const firstWarmUp = { fanout: 20, ms: 2000 }
const warmUpMs = 300

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    stopChildren()
    process.exit(130)
  })
}

try {
  const options = readOptions(process.argv.slice(2))
  if (options) await run(options)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
} finally {
  stopChildren()
}

async function run (options: Options) {
  const { fanouts, rounds, windowMs, callers, json } = options
  const note = json ? () => {} : console.log
  const upstream = await startChild('upstream', 'upstream', [String(options.bodyBytes), String(options.delayMs)], 0)
  const load = await startChild('load', 'load', [], 0)
  const targets = await startTargets(options.targets, `http://127.0.0.1:${upstream.port}`)
  const names = targets.map(({ name }) => name)
  const windows: Window[] = []

  note(`Node ${process.versions.node}, ${pinned ? 'target on one core, upstream and load on the other' : 'processes not pinned: taskset is missing'}`)
  note(`${rounds} rounds of ${windowMs} ms, ${callers} callers, body ${options.bodyBytes} B, ${settings.slots} slots, width ${settings.width}\n`)

  for (const target of targets) await drive(target, load, firstWarmUp.fanout, firstWarmUp.ms, callers)

  for (const fanout of fanouts) {
    for (const target of targets) {
      await check(target, fanout)
      await drive(target, load, fanout, warmUpMs, callers)
    }
    for (let round = 0; round < rounds; round++) {
      for (const target of rotated(targets, round)) {
        const window = await measureWindow(target, load, { fanout, round, windowMs, callers })
        if (window.non200 === 0) windows.push(window)
        else console.error(`dropped: ${target.name}, fan-out ${fanout}, round ${round}: ${window.non200} responses were not 200`)
      }
    }
    note(tableOf(fanout, names, windows.filter(window => window.fanout === fanout)))
  }

  if (json) {
    const ratios = fanouts.map(fanout => ({ fanout, ratios: ratiosOf(windows.filter(window => window.fanout === fanout)) }))
    console.log(JSON.stringify({ node: process.versions.node, pinned, settings, options, ratios, windows }, null, 2))
  }
  if (windows.length === 0) throw new Error('no window without faults')
}

/** A second process of one floor tells how far two equal targets differ here today. */
async function startTargets (names: readonly string[], origin: string) {
  const files = names.map(name => [name, name] as const)
  const all = names.includes('floor-dispatch') ? [...files, [twin, 'floor-dispatch'] as const] : files
  const targets: Child[] = []
  for (const [name, file] of all) targets.push(await startChild(name, file, [origin], 1))
  return targets
}

/** A target that answers fast and wrong would win. */
async function check ({ name, port }: Child, fanout: number) {
  const response = await fetch(`http://127.0.0.1:${port}/?n=${fanout}`)
  const text = await response.text()
  const facts = text.match(/"fact":"[^"]+","length":\d+/g)?.length ?? 0
  const whole = facts === fanout && text.includes('"complete":true') && text.includes('"data":{"facts":[')
  if (response.status !== 200 || !whole) throw new Error(`${name} answered ${response.status} with ${facts} facts for fan-out ${fanout}: ${text.slice(0, 400)}`)
}

function rotated<T> (items: readonly T[], by: number): T[] {
  const turn = by % items.length
  return [...items.slice(turn), ...items.slice(0, turn)]
}
