import type { BatchOffer } from '../../batch/offer.ts'
import type { AnyAggregate } from '../../fanout/aggregate.ts'
import { batchOfferOf } from './batch-offer.ts'
import type { BatchLimits } from './batch-options.ts'

/** The batches of an app, as its API document describes them. */
interface DescribedBatches extends Pick<BatchLimits, 'maxCalls' | 'deadline'> {
  readonly offer: BatchOffer
}

/**
 * Returns what the API document of an app says of its batches.
 *
 * @param owner The name of the options in messages.
 * @returns `undefined` if the app has no route for batches
 * @throws TypeError for an operation that belongs to no upstream or is not declared for batches
 */
export function describedBatches(
  owner: string,
  limits: BatchLimits | false,
  aggregates: readonly AnyAggregate[],
): DescribedBatches | undefined {
  const offer = batchOfferOf(owner, limits, aggregates)
  if (offer === undefined || limits === false) return undefined
  const { maxCalls, deadline } = limits
  return { offer, maxCalls, deadline }
}
