import { caseOf, specOf } from '../cases.ts'
import type { Case } from '../case.ts'
import type { CaseName } from '../cases.ts'
import { startChild } from '../../lib/child.ts'
import { disturbanceOf } from './disturbance.ts'
import type { Filler } from '../workload/fact-body.ts'
import { accounted, readMemory } from '../../lib/process-files.ts'
import type { Row } from '../workload/row.ts'
import type { Target } from '../targets.ts'
import type { UpstreamCommand } from '../workload/upstream.ts'
import { drive, measureWindow } from './window.ts'
import type { Harness, Window } from './window.ts'

/** The plan of a measurement of a case that is known by its name. */
export interface Plan extends CasePlan {
  readonly case: CaseName
  /** The folder of another checkout, which the case measures too. @default none */
  readonly against?: string | undefined
}

/** The plan of a measurement, without its case. */
export interface CasePlan {
  readonly targets: readonly string[]
  readonly rows: readonly Row[]
  readonly rounds: number
  readonly windowMs: number
  readonly filler: Filler
  readonly delayMs: number
  /** Delay of one call in a hundred, in ms. 0 turns the delay off. */
  readonly slowMs: number
  /** Maximum share of the target's core that other processes may use in a window. */
  readonly foreignLimit: number
  /** A file that the logs of the targets are appended to. @default /dev/null */
  readonly log?: string | undefined
}

/** A discarded window. */
export interface DroppedWindow {
  readonly reason: string
  readonly window: Window
}

/** The windows of one row. */
export interface MeasuredRow {
  readonly row: Row
  readonly windows: readonly Window[]
  readonly dropped: readonly DroppedWindow[]
}

export interface Measurement {
  /** The measured targets in order, including the twin. */
  readonly targets: readonly string[]
  /** Labels for the tables and the chart. They include the version of the compiler or server. */
  readonly labels: Readonly<Record<string, string>>
  /** Resident bytes of each target before its first request. Empty on a machine without `/proc`. */
  readonly idleBytes: Readonly<Record<string, number>>
  readonly rows: readonly MeasuredRow[]
}

/** V8 optimises a function after a number of calls. So the first warm-up is long and has a high fan-out. */
const firstWarmUp = { fanout: 20, ms: 2000 }
const warmUpMs = 300

/** A body of at least this number of bytes is large. */
const largeBytes = 100_000

/**
 * The interval of a timer in the target's event loop, in ms. Each tick costs CPU time. At 1 ms, the cost is several
 * percent of a call with a small body, and negligible for a large body.
 */
const beats = { small: 10, large: 1 }

/** The input for the measurement of a row. */
interface MeasureContext {
  readonly benchCase: Case
  readonly harness: Harness
  readonly plan: CasePlan
}

/** Measures the case of a plan. See `measureCase` for the parameters. */
export function measure(
  plan: Plan,
  note: (line: string) => void,
  done?: (measured: MeasuredRow, soFar: Measurement) => void,
): Promise<Measurement> {
  return measureCase(caseOf(plan.case, plan.against), plan, note, done)
}

/**
 * Measures the targets of a plan in turns, one at a time.
 *
 * @param benchCase - The task of every target.
 * @param plan - The plan of the measurement.
 * @param note - Called with one line for each target that cannot run on this machine.
 * @param done - Called after each row.
 */
export async function measureCase(
  benchCase: Case,
  plan: CasePlan,
  note: (line: string) => void,
  done: (measured: MeasuredRow, soFar: Measurement) => void = () => {},
): Promise<Measurement> {
  const { filler, delayMs, slowMs, log = '/dev/null' } = plan
  const first = plan.rows[0]?.bodyBytes ?? 0
  const upstream = await startChild(
    'upstream',
    new URL('../workload/upstream.ts', import.meta.url),
    [String(first), String(delayMs), filler, String(slowMs)],
    0,
  )
  const load = await startChild('load', new URL('../workload/closed-loop.ts', import.meta.url), [], 0)
  const targets: Target[] = []
  const labels: Record<string, string> = {}
  try {
    for (const name of plan.targets) {
      const { label, start, missing, version } = specOf(benchCase, name)
      const reason = await missing?.()
      if (reason !== undefined) {
        note(`${name} is left out: ${reason}`)
        continue
      }
      targets.push(await start(name, { origin: `http://127.0.0.1:${upstream.port}`, log }))
      const number = await version?.()
      labels[name] = number === undefined ? label : `${label} (${number})`
    }
    if (targets.length === 0) throw new Error('no target can be measured on this machine')
    const idle = accounted ? targets.map(({ name, pid }) => [name, readMemory(pid).residentBytes] as const) : []
    const rows: MeasuredRow[] = []
    const measurement: Measurement = {
      targets: targets.map(({ name }) => name),
      labels,
      idleBytes: Object.fromEntries(idle),
      rows,
    }

    // With large bodies, use the lowest fan-out: many large bodies at once need too much memory.
    const fanout = first >= largeBytes ? Math.min(...plan.rows.map(row => row.fanout)) : firstWarmUp.fanout
    const callers = plan.rows[0]?.callers ?? 1
    for (const target of targets) await drive(target, load, benchCase.inbound(fanout), firstWarmUp.ms, callers)
    for (const row of plan.rows) {
      const measured = await measureRow(targets, { benchCase, harness: { load, upstream }, plan }, row)
      rows.push(measured)
      done(measured, measurement)
    }
    return measurement
  } finally {
    for (const process of [...targets, load, upstream]) await process.stop()
  }
}

async function measureRow(
  targets: readonly Target[],
  { benchCase, harness, plan: { rounds, windowMs, foreignLimit } }: MeasureContext,
  row: Row,
): Promise<MeasuredRow> {
  const { fanout, bodyBytes, callers } = row
  const inbound = benchCase.inbound(fanout)
  await harness.upstream.request({ bodyBytes } satisfies UpstreamCommand)
  for (const target of targets) {
    await benchCase.check(target, harness.upstream, row)
    await drive(target, harness.load, inbound, warmUpMs, callers)
  }
  const beatMs = bodyBytes >= largeBytes ? beats.large : beats.small
  const windows: Window[] = []
  const dropped: DroppedWindow[] = []
  for (let round = 0; round < rounds; round++) {
    for (const target of rotated(targets, round)) {
      // Measure a disturbed window once more, because a short disturbance is over by then.
      for (const _attempt of [1, 2]) {
        const window = await measureWindow(target, harness, {
          inbound,
          fanout,
          round,
          windowMs,
          callers,
          resolutionMs: beatMs,
        })
        const reason = disturbanceOf(window, foreignLimit)
        if (reason === undefined) {
          windows.push(window)
          break
        }
        dropped.push({ reason, window })
      }
    }
  }
  return { row, windows, dropped }
}

function rotated<T>(items: readonly T[], by: number): T[] {
  const turn = by % items.length
  return [...items.slice(turn), ...items.slice(0, turn)]
}
