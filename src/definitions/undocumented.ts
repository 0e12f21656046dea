import { readBatchOptions } from '../http/batch/batch-options.ts'
import { describedBatches } from '../http/batch/described-batches.ts'
import { DocumentError } from '../http/openapi/document-error.ts'
import type { UpstreamSpec } from '../upstream/spec/spec.ts'
import { batchOperationsOf } from './batch-operations.ts'
import type { DefinitionFault } from './definitions-error.ts'
import type { Found } from './read-module.ts'

/**
 * Returns a fault for each part of an aggregate, or of an operation with `batch: true`, that the API document cannot
 * describe.
 */
export async function undocumented(
  found: readonly Found[],
  specs: readonly UpstreamSpec[],
): Promise<DefinitionFault[]> {
  const { openapiDocument } = await import('../http/openapi/document.ts')
  const aggregates = found.map(({ aggregate }) => aggregate)
  try {
    const limits = readBatchOptions('headwaters', { operations: batchOperationsOf(specs) })
    openapiDocument(aggregates, { batch: describedBatches('headwaters', limits, aggregates) })
    return []
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    const faults = error instanceof DocumentError ? error.faults : [{ aggregate: undefined, reason: error.message }]
    return faults.flatMap(({ aggregate, reason }) => {
      const file = found.find(each => each.aggregate.name === aggregate)?.file ?? 'all aggregates'
      return reason.split('\n').map(line => ({ file, reason: line }))
    })
  }
}
