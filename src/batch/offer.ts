import type { AnyAggregate } from '../fanout/aggregate.ts'
import { createCallOf } from '../upstream/declared-specs.ts'
import type { Call } from '../upstream/call/call.ts'
import type { OperationSpec } from '../upstream/spec/spec.ts'

/** An operation that batches may call. */
export interface OfferedOperation {
  readonly name: string
  readonly spec: OperationSpec
  /** Creates a call, as the operation itself does. */
  readonly create: (input?: unknown) => Call<unknown>
  readonly aggregate?: undefined
}

/** An aggregate that batches may call. */
export interface OfferedAggregate {
  readonly name: string
  readonly aggregate: AnyAggregate
  readonly spec?: undefined
}

/** An operation or an aggregate that batches may call. */
export type Offered = OfferedOperation | OfferedAggregate

/**
 * The operations and the aggregates that batches may call, by name. The name of an operation has a dot, and that of an
 * aggregate has none.
 */
export type BatchOffer = ReadonlyMap<string, Offered>

/**
 * Returns the offer of some operations, and of those aggregates that have `batch: true`.
 *
 * @param operations The declarations of operations with `batch: true`: `specOfOperation(shop.order)`.
 * @throws TypeError for an operation without `batch: true`, and for two operations or two aggregates of one name
 */
export function offerOf(operations: readonly OperationSpec[], aggregates: readonly AnyAggregate[]): BatchOffer {
  const offer = new Map<string, Offered>()
  const add = (offered: Offered, kind: string) => {
    const before = offer.get(offered.name)
    if (before !== undefined && (before.spec !== offered.spec || before.aggregate !== offered.aggregate))
      throw new TypeError(`batch: two ${kind} have the name '${offered.name}', and a call names one: rename one`)
    offer.set(offered.name, Object.freeze(offered))
  }
  for (const spec of operations) {
    const { name, batch } = spec
    if (!batch) throw new TypeError(`batch: ${name} is not declared for batches: add batch: true to the operation`)
    add({ name, spec, create: createCallOf(spec) }, 'operations')
  }
  for (const aggregate of aggregates) if (aggregate.route.batch) add({ name: aggregate.name, aggregate }, 'aggregates')
  return offer
}
