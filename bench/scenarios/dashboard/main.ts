import { formatTable } from '../../../src/commands/load/format.ts'
import { freePort } from '../../compare/serve/port.ts'
import { bench } from '../../lib/bench.ts'
import { builtCli } from '../../lib/built-cli.ts'
import { startChild } from '../../lib/child.ts'
import { medianInterval } from '../../lib/confidence-interval.ts'
import { cpuMicrosBetween } from '../../lib/cpu-accounting.ts'
import { readFlags } from '../../lib/flags.ts'
import { openLoop } from '../../lib/open-loop.ts'
import { readCpu } from '../../lib/process-files.ts'
import { rawCaller } from '../../lib/raw-caller.ts'
import { startServe } from '../start-serve.ts'
import type { ReaderCommand, Received } from './reader.ts'
import { limit, ratioOf, violationsOf, type Pair } from './violations.ts'

const help = `Measures the CPU time of headwaters serve with an open dashboard. A reader in a process of its own reads the events
and drops them. Windows with and without it come in pairs, in random order. The exit code is 1 if the median of the ratios
is above ${limit}.

Usage: npm run bench:dashboard -- [options]

  --pairs N    pairs of windows (default 30)
  --seconds N  length of a window (default 4)
  --rate N     runs per second, each with three calls (default 1000)
  --help       prints this
`

const warmUpSeconds = 8
/** Time under load between the opening or the end of a reader and its window. */
const leadInSeconds = 1

await bench(async () => {
  const flags = readFlags(help, { pairs: 30, seconds: 4, rate: 1000 })
  if (flags === undefined) return []
  const { pairs: count, seconds, rate } = flags
  const upstream = await startChild(
    'upstream',
    new URL('../../compare/workload/upstream.ts', import.meta.url),
    ['110', '2'],
    0,
  )
  const adminPort = await freePort()
  const origin = `http://127.0.0.1:${upstream.port}`
  const service = await startServe(
    'service',
    new URL('./definitions.ts', import.meta.url),
    {
      ADMIN_PORT: String(adminPort),
      HEADWATERS_UPSTREAM_FIRST_ORIGIN: origin,
      HEADWATERS_UPSTREAM_SECOND_ORIGIN: origin,
    },
    { cli: builtCli() },
  )
  const reader = await startChild('reader', new URL('./reader.ts', import.meta.url), [String(adminPort)], 0)
  const tell = <Reply>(command: ReaderCommand) => reader.request<Reply>(command)
  const caller = rawCaller(service.port, '/facts')
  const load = async (forSeconds: number) => {
    await openLoop({ perSecond: rate, seconds: forSeconds, send: (_index, dueAt) => caller.send(dueAt) })
    const ended = caller.takeCompleted()
    return { runs: ended.length, failed: ended.filter(({ status }) => status !== 200).length }
  }
  /** Returns the CPU time of a run in a window, in µs, and the number of runs that were not answered with 200. */
  const window = async () => {
    await load(leadInSeconds)
    const before = readCpu(service.pid)
    const { runs, failed } = await load(seconds)
    return { micros: cpuMicrosBetween(before, readCpu(service.pid)) / runs, failed }
  }
  const windowWithReader = async () => {
    await tell({ open: true })
    const measured = await window()
    const { events } = await tell<Received>({ close: true })
    return { ...measured, events: events / (seconds + leadInSeconds) }
  }

  await load(warmUpSeconds)
  const pairs: Pair[] = []
  let dropped = 0
  while (pairs.length < count) {
    const isFirst = Math.random() < 0.5
    const early = isFirst ? await windowWithReader() : undefined
    const without = await window()
    const { micros, failed, events } = early ?? (await windowWithReader())
    if (without.failed + failed === 0) pairs.push({ without: without.micros, withReader: micros, events })
    else if (++dropped > count) throw new Error('more pairs were dropped than were asked for: the machine is too busy')
    else console.error(`dropped: a pair with ${without.failed + failed} runs that were not answered with 200`)
  }
  caller.close()
  return report(pairs, rate)
})

/** Prints the result and returns the violated limits. */
function report(pairs: readonly Pair[], rate: number): string[] {
  const { median, low, high } = ratioOf(pairs)
  const middle = (key: keyof Pair) => medianInterval(pairs.map(pair => pair[key])).median
  const rows = [
    ['dashboard', 'µs/run', 'events/s'],
    ['without', middle('without').toFixed(1), ''],
    ['with a reader', middle('withReader').toFixed(1), middle('events').toFixed(1)],
  ]
  process.stdout.write(`${rate} runs/s of three calls, ${pairs.length} pairs of windows\n`)
  process.stdout.write(`${formatTable(rows)}`)
  process.stdout.write(`with / without: ${median.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}], limit ${limit}\n`)
  return violationsOf(pairs)
}
