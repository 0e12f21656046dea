import { setTimeout as pause } from 'node:timers/promises'
import type { TargetSpec } from '../../compare/targets.ts'
import type { Row } from '../../compare/workload/row.ts'
import { readMemory } from '../../lib/process-files.ts'
import { startHarness } from './harness.ts'

/** Resident memory of one process under the load of one row. */
export interface MemoryRow {
  readonly target: string
  readonly row: Row
  /** One second after the start, before the first request. */
  readonly idleBytes: number
  /** The peak since the start of the process. */
  readonly peakBytes: number
  /** Two seconds after the last request. */
  readonly afterBytes: number
  readonly responses: number
  readonly non200: number
}

/** Measures the peak of the resident memory of each target under each row. Each measurement has a new process. */
export async function measurePeaks(
  targets: Readonly<Record<string, TargetSpec>>,
  rows: readonly Row[],
  seconds: number,
): Promise<MemoryRow[]> {
  const harness = await startHarness()
  const measured: MemoryRow[] = []
  try {
    for (const [target, spec] of Object.entries(targets)) {
      for (const row of rows) {
        const service = await spec.start(target, { origin: harness.origin, log: '/dev/null' })
        await pause(1000)
        const idleBytes = readMemory(service.pid).residentBytes
        const { responses, non200 } = await harness.drive(service, row, seconds)
        await pause(2000)
        const { residentBytes: afterBytes, peakBytes } = readMemory(service.pid)
        measured.push({ target, row, idleBytes, peakBytes, afterBytes, responses, non200 })
        await service.stop()
      }
    }
    return measured
  } finally {
    await harness.stop()
  }
}
