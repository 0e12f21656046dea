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
  /** CPU time of the target / elapsed time. Well below 1, the target was idle or another process used its core. */
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

/** The processes that the measurements of all targets share. */
export interface Harness {
  readonly load: ChildServer
  readonly upstream: ChildServer
}

const leadInMs = 200

/** Loads one target for one window. The cost of a call is the CPU time of the process divided by its upstream calls. */
export async function measureWindow(
  target: Target,
  { load, upstream }: Harness,
  { inbound, fanout, round, windowMs, callers, resolutionMs }: WindowOptions,
): Promise<Window> {
  // Idle connections were closed during the windows of other targets. Open them again before the window, because the
  // cost of a call does not include this.
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
