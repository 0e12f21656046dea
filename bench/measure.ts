import { startChild } from './child.ts'
import { disturbanceOf } from './disturbance.ts'
import type { Filler } from './fact-body.ts'
import { accounted, readMemory } from './process-files.ts'
import { kindOf } from './targets.ts'
import type { Target } from './targets.ts'
import { drive, measureWindow } from './window.ts'
import type { Stage, Window } from './window.ts'

/** What is to be measured. */
export interface Plan {
  readonly targets: readonly string[]
  readonly fanouts: readonly number[]
  readonly rounds: number
  readonly windowMs: number
  readonly callers: number
  readonly bodyBytes: number
  readonly filler: Filler
  readonly delayMs: number
  /** What one call in a hundred takes, in ms; 0 for no such call. */
  readonly slowMs: number
  /** The share of the target's core that other processes may have in a window. */
  readonly foreignLimit: number
}

/** A window that counts for nothing. */
export interface Dropped { readonly reason: string, readonly window: Window }

/** What came of one fan-out. */
export interface Measured {
  readonly fanout: number
  readonly windows: readonly Window[]
  readonly dropped: readonly Dropped[]
}

export interface Measurement {
  /** The targets that ran, the twin included, in their order. */
  readonly targets: readonly string[]
  /** Bytes that each had resident before its first request; none where the machine does not say. */
  readonly idleBytes: Readonly<Record<string, number>>
  readonly fanouts: readonly Measured[]
}

/** The engine optimises by counts of calls, so this one is long and at a high fan-out. */
const firstWarmUp = { fanout: 20, ms: 2000 }
const warmUpMs = 300

/** From so many bytes on bodies are large. */
const largeBytes = 100_000

/** How often a timer beats in a target's loop, in ms: next to small bodies every one would be several percent of a call, next to large ones of nothing. */
const beats = { small: 10, large: 1 }

/** Measures targets beside each other, one at a time in turns; `note` is told of what is left out, `done` of each fan-out. */
export async function measure (plan: Plan, note: (line: string) => void, done: (measured: Measured, soFar: Measurement) => void = () => {}): Promise<Measurement> {
  const { bodyBytes, filler, delayMs, slowMs, callers } = plan
  const upstream = await startChild('upstream', 'upstream', [String(bodyBytes), String(delayMs), filler, String(slowMs)], 0)
  const load = await startChild('load', 'load', [], 0)
  const targets: Target[] = []
  try {
    for (const name of plan.targets) {
      const { missing, start } = kindOf(name)
      const reason = await missing?.()
      const target = reason === undefined ? await start(name, `http://127.0.0.1:${upstream.port}`) : undefined
      if (target !== undefined) targets.push(target)
      else note(`${name} is left out: ${reason}`)
    }
    const idle = accounted ? targets.map(({ name, pid }) => [name, readMemory(pid).residentBytes] as const) : []
    const fanouts: Measured[] = []
    const measurement: Measurement = { targets: targets.map(({ name }) => name), idleBytes: Object.fromEntries(idle), fanouts }

    // Large bodies are too many bytes at once for many calls.
    const [fewest = 1] = plan.fanouts.toSorted((a, b) => a - b)
    const firstFanout = bodyBytes >= largeBytes ? fewest : firstWarmUp.fanout
    for (const target of targets) await drive(target, load, firstFanout, firstWarmUp.ms, callers)
    for (const fanout of plan.fanouts) {
      const measured = await measureFanout(targets, { load, upstream }, plan, fanout)
      fanouts.push(measured)
      done(measured, measurement)
    }
    return measurement
  } finally {
    for (const process of [...targets, load, upstream]) await process.stop()
  }
}

async function measureFanout (targets: readonly Target[], stage: Stage, { rounds, windowMs, callers, bodyBytes, foreignLimit }: Plan, fanout: number): Promise<Measured> {
  for (const target of targets) {
    await check(target, fanout, bodyBytes)
    await drive(target, stage.load, fanout, warmUpMs, callers)
  }
  const beatMs = bodyBytes >= largeBytes ? beats.large : beats.small
  const windows: Window[] = []
  const dropped: Dropped[] = []
  for (let round = 0; round < rounds; round++) {
    for (const target of rotated(targets, round)) {
      // What was disturbed is measured once more, which a short disturbance does not outlast.
      for (const _attempt of [1, 2]) {
        const window = await measureWindow(target, stage, { fanout, round, windowMs, callers, beatMs })
        const reason = disturbanceOf(window, foreignLimit)
        if (reason === undefined) {
          windows.push(window)
          break
        }
        dropped.push({ reason, window })
      }
    }
  }
  return { fanout, windows, dropped }
}

/** A target that answers fast and wrong would win. */
async function check ({ name, port }: Target, fanout: number, bodyBytes: number) {
  const response = await fetch(`http://127.0.0.1:${port}/?n=${fanout}`)
  const text = await response.text()
  const facts = text.match(/"fact":"[^"]+","length":\d+/g)?.length ?? 0
  const whole = facts === fanout && text.includes('"complete":true') && text.includes('"data":{"facts":[') && text.length >= fanout * bodyBytes
  if (response.status !== 200 || !whole) throw new Error(`${name} answered ${response.status} with ${facts} facts and ${text.length} bytes for fan-out ${fanout}: ${text.slice(0, 400)}`)
}

function rotated<T> (items: readonly T[], by: number): T[] {
  const turn = by % items.length
  return [...items.slice(turn), ...items.slice(0, turn)]
}
