import type { Fault } from '../errors.ts'
import type { LostCall } from '../fanout/outcome-recorder.ts'
import type { RequestTrace } from '../trace/request-trace.ts'
import type { BatchCompletion, BatchCounts, BatchStartOptions, PlannedCall } from './batch-start.ts'
import type { BatchOffer } from './offer.ts'
import type { BatchAnswer } from './result.ts'

/** One batch in flight. */
export interface BatchRun {
  /** The calls, in the order of the batch. */
  readonly calls: readonly PlannedCall[]
  /** The limit on the whole batch, in ms. */
  readonly deadline: number
  readonly trace: RequestTrace | undefined
  /** The results so far. */
  readonly counts: BatchCounts
  /** The calls that failed, for a log. Their number is limited. `step` is the index of the call. */
  readonly lost: readonly LostCall[]
  /** Starts the batch, and passes its result to `completion` without a promise. */
  startFor(completion: BatchCompletion): void
  /** Starts the batch; rejects with the reason of its cancellation. */
  start(): Promise<BatchAnswer>
  /** Cancels the batch: its caller no longer waits for the reply. */
  cancel(reason: unknown): void
}

/**
 * Reads the body of a batch and creates a batch that has not started.
 *
 * @param faults Faults of other parts of the request, which are reported with those of the body.
 * @throws Problem `INPUT_INVALID` with every fault, before anything is sent
 */
export declare function startBatch(
  offer: BatchOffer,
  body: unknown,
  options: BatchStartOptions,
  faults?: readonly Fault[],
): BatchRun
