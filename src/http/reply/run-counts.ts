import type { ServerResponse } from 'node:http'
import { Problem } from '../../errors.ts'
import type { Run } from '../../fanout/run.ts'
import { sampledTraceId } from '../../trace/sampled-trace-id.ts'
import { recordOf } from '../metrics/request-counter.ts'
import type { LoadGauge } from './route-services.ts'

/** Counts a run or a batch that starts, in the load of the service and for the metrics of its request. */
export function countRun(load: LoadGauge | undefined, raw: ServerResponse, run: Pick<Run, 'trace'>): void {
  if (load !== undefined) load.runs++
  const record = recordOf(raw)
  if (record === undefined) return
  record.hasRun = true
  record.traceId = sampledTraceId(run.trace)
}

/**
 * Counts the end of a run.
 *
 * @param error - The reason for which it has no reply. @default it has a reply
 */
export function countRunEnd(load: LoadGauge | undefined, error?: unknown): void {
  if (load === undefined) return
  load.runs--
  if (error instanceof Problem && error.code === 'BULKHEAD_FULL') load.refused++
  else load.served++
}
