import type { Operation } from '../upstream/declare.ts'
import { createCallOf, operationsOf } from '../upstream/declared-specs.ts'
import type { UpstreamSpec } from '../upstream/spec/spec.ts'

/** Returns the operations with `batch: true` of some upstreams. */
export function batchOperationsOf(specs: readonly UpstreamSpec[]): readonly Operation<never, unknown>[] {
  return specs
    .flatMap(operationsOf)
    .filter(({ batch }) => batch)
    .map(spec => createCallOf(spec) as unknown as Operation<never, unknown>)
}
