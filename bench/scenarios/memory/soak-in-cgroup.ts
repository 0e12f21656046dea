import { existsSync } from 'node:fs'
import type { Row } from '../../compare/workload/row.ts'
import { readMemory } from '../../lib/process-files.ts'
import { startServe } from '../start-serve.ts'
import type { MemoryCgroup } from './cgroup.ts'
import { startHarness } from './harness.ts'

export interface CgroupSoak {
  readonly responses: number
  readonly non200: number
  /** Time for which the service ran after the warm-up. */
  readonly seconds: number
  /** True if the service has ended by itself. */
  readonly hasEnded: boolean
  /** Peak of the resident memory of the service. */
  readonly peakBytes: number
  /** Number of processes that the memory limit has killed. */
  readonly kills: number
}

/** Duration of the load of one row before the next row takes its turn. */
const turnSeconds = 10
/** Duration of the first load. Its replies are not counted, because a process that starts is slow and may refuse some. */
const warmUpSeconds = 5

/** Runs `headwaters serve` in a control group under the load of several rows in turn. */
export async function soakInCgroup(cgroup: MemoryCgroup, rows: readonly Row[], seconds: number): Promise<CgroupSoak> {
  const harness = await startHarness()
  const service = await startServe(
    'service',
    new URL('../../compare/serve/definitions/plain.ts', import.meta.url),
    { HEADWATERS_UPSTREAM_FACTS_ORIGIN: harness.origin },
    { prefix: cgroup.prefix },
  )
  const isRunning = () => existsSync(`/proc/${service.pid}`)
  let responses = 0
  let non200 = 0
  let peakBytes = 0
  try {
    await harness.drive(service, rows[0] as Row, Math.min(warmUpSeconds, seconds))
    const startedAt = performance.now()
    const elapsed = () => (performance.now() - startedAt) / 1000
    for (let turn = 0; elapsed() < seconds && isRunning(); turn++) {
      const row = rows[turn % rows.length] as Row
      const window = await harness.drive(service, row, Math.min(turnSeconds, seconds))
      responses += window.responses
      non200 += window.non200
      if (isRunning()) peakBytes = readMemory(service.pid).peakBytes
    }
    const hasEnded = !isRunning()
    return { responses, non200, seconds: elapsed(), hasEnded, peakBytes, kills: cgroup.read().kills }
  } finally {
    await service.stop()
    await harness.stop()
  }
}
