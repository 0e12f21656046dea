import { offerOf, type BatchOffer } from '../../batch/offer.ts'
import type { AnyAggregate } from '../../fanout/aggregate.ts'
import { specOfOperation } from '../../upstream/declared-specs.ts'
import type { BatchLimits } from './batch-options.ts'

/**
 * Returns the operations and aggregates that the batches of an app may call.
 *
 * @param owner The name of the options in messages.
 * @returns `undefined` if batches are turned off, or may call nothing. The app has no route for batches then.
 * @throws TypeError for an operation that belongs to no upstream or is not declared for batches
 */
export function batchOfferOf(
  owner: string,
  limits: BatchLimits | false,
  aggregates: readonly AnyAggregate[],
): BatchOffer | undefined {
  if (limits === false) return undefined
  const specs = limits.operations.map((declared, index) => {
    const spec = specOfOperation(declared)
    if (spec !== undefined) return spec
    throw new TypeError(
      `${owner}: batch.operations[${index}] belongs to no upstream: pass an operation that defineUpstream has returned`,
    )
  })
  const offer = offerOf(specs, aggregates)
  return offer.size === 0 ? undefined : offer
}
