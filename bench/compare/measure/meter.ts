import { cpuMicrosBetween, foreignShare } from '../../lib/cpu-accounting.ts'
import type { ProcessUsage, UsageRequest } from '../../lib/announce.ts'
import { pinned } from '../../lib/child.ts'
import type { ListeningProcess } from '../../lib/child.ts'
import { accounted, forgetPeak, readCore, readCpu, readMemory } from '../../lib/process-files.ts'
import type { Target } from '../targets.ts'

/** Usage of one target in one window. */
export interface WindowUsage {
  readonly cpuMicros: number
  readonly peakBytes: number
  /** Maximum event loop delay, in ms; `null` for a target that does not run on Node.js. */
  readonly stallMs: number | null
  /**
   * Share of the window in which other processes used the core of the target, and the core of the upstream and the
   * load. `null` if the processes are not pinned to cores, or the machine has no `/proc`.
   */
  readonly foreign: { readonly target: number; readonly load: number } | null
}

/**
 * Starts to measure the usage of a target. The neighbours run on the other core. The returned function resolves with
 * the usage since the start.
 */
export async function startMeter(
  target: Target,
  neighbours: readonly ListeningProcess[],
  resolutionMs: number,
): Promise<(elapsedMs: number) => Promise<WindowUsage>> {
  const question: UsageRequest = { cpu: true, resolutionMs }
  const asked = await target.request?.<ProcessUsage>(question)
  if (accounted) forgetPeak(target.pid)
  const before = accounted ? read(target, neighbours) : undefined

  return async elapsedMs => {
    // Read the files first and then send the request, because the answer to the request uses CPU time of the target.
    const after = before && read(target, neighbours)
    const peakBytes = after && readMemory(target.pid).peakBytes
    const told = await target.request?.<ProcessUsage>(question)
    const stallMs = told?.stallMs ?? null
    if (before === undefined || after === undefined || peakBytes === undefined)
      return {
        cpuMicros: (told?.cpuMicros ?? NaN) - (asked?.cpuMicros ?? NaN),
        peakBytes: told?.peakBytes ?? NaN,
        stallMs,
        foreign: null,
      }

    const cpuMicros = cpuMicrosBetween(before.target, after.target)
    const neighbourMicros = before.neighbours.reduce(
      (sum, reading, index) => sum + cpuMicrosBetween(reading, after.neighbours[index] ?? reading),
      0,
    )
    const foreign = {
      target: foreignShare(after.cores[1] - before.cores[1], cpuMicros, elapsedMs),
      load: foreignShare(after.cores[0] - before.cores[0], neighbourMicros, elapsedMs),
    }
    return { cpuMicros, peakBytes, stallMs, foreign: pinned ? foreign : null }
  }
}

function read(target: Target, neighbours: readonly ListeningProcess[]) {
  return {
    target: readCpu(target.pid),
    neighbours: neighbours.map(({ pid }) => readCpu(pid)),
    cores: [readCore(0), readCore(1)] as const,
  }
}
