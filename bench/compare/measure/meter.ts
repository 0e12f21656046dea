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
  /** Longest time between two beats in its loop; null where there is no loop of Node. */
  readonly stallMs: number | null
  /**
   * Shares of the span that other processes had the core of the target, and that of upstream and load; null where a
   * core cannot be told.
   */
  readonly foreign: { readonly target: number; readonly load: number } | null
}

/**
 * Starts to account for a target, whose neighbours have the other core; the function that it gives says what was used
 * since.
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
    // All that is in files first, and only then the question, which costs the target an answer.
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
