import type { BatchAnswer } from '../../batch/result.ts'
import type { BatchRun } from '../../batch/start-batch.ts'
import type { RunOutcome } from '../../metrics/aggregate-metrics.ts'
import { countRunEnd } from '../reply/run-counts.ts'
import type { BatchService } from './batch-service.ts'

/** Counts the end of a batch: in the load of the service, and in the metrics with the results of its calls. */
export function countBatchEnd({ routes, metrics }: BatchService, run: BatchRun, outcome: RunOutcome): void {
  countRunEnd(routes.load)
  metrics.batchEnded(outcome, run.counts)
}

/** Returns the headers of the reply to a batch, by lower-case name. */
export function headersOf({ retryAfter }: BatchAnswer): Readonly<Record<string, string>> {
  return {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
  }
}
