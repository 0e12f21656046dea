import type { Inbound } from '../case.ts'
import type { ChildServer } from '../../lib/child.ts'
import type { LoadResult, LoadStart } from '../workload/closed-loop.ts'
import { startMeter } from './meter.ts'
import type { WindowUsage } from './meter.ts'
import type { Target } from '../targets.ts'

export interface Window {
  readonly target: string
  readonly fanout: number
  readonly round: number
  readonly cpuMicrosPerCall: number
  readonly callsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Ratio of the window in which the target ran. Well below 1 it waited, or another process had its core. */
  readonly busy: number
  readonly peakBytes: number
  readonly stallMs: WindowUsage['stallMs']
  readonly foreign: WindowUsage['foreign']
  readonly non200: number
}

export interface WindowOptions {
  readonly inbound: Inbound
  readonly fanout: number
  readonly round: number
  readonly windowMs: number
  readonly callers: number
  readonly resolutionMs: number
}

/** The processes that are shared by the measurements of all targets. */
export interface Harness {
  readonly load: ChildServer
  readonly upstream: ChildServer
}

const leadInMs = 200

/** Loads one target for one window and divides the CPU time of its whole process by the upstream calls it made. */
export async function measureWindow(
  target: Target,
  { load, upstream }: Harness,
  { inbound, fanout, round, windowMs, callers, resolutionMs }: WindowOptions,
): Promise<Window> {
  // Idle connections were closed while other targets had their turn: opening them again is not part of a call's price.
  await drive(target, load, inbound, leadInMs, callers)

  const stop = await startMeter(target, [load, upstream], resolutionMs)
  const { responses, non200, elapsedMs, p50Ms, p99Ms } = await drive(target, load, inbound, windowMs, callers)
  const { cpuMicros, peakBytes, stallMs, foreign } = await stop(elapsedMs)

  const calls = responses * fanout
  return {
    target: target.name,
    fanout,
    round,
    cpuMicrosPerCall: cpuMicros / calls,
    callsPerSecond: (calls / elapsedMs) * 1000,
    p50Ms,
    p99Ms,
    busy: cpuMicros / 1000 / elapsedMs,
    peakBytes,
    stallMs,
    foreign,
    non200,
  }
}

/** Drives a target without measuring it. */
export function drive({ port }: Target, load: ChildServer, inbound: Inbound, ms: number, callers: number) {
  const start: LoadStart = { port, ...inbound, ms, callers }
  return load.request<LoadResult>({ start })
}
