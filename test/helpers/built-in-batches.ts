import { upstreams } from '../../src/clients/index.ts'
import { batchOperationsOf } from '../../src/definitions/batch-operations.ts'
import { readBatchOptions } from '../../src/http/batch/batch-options.ts'
import { describedBatches } from '../../src/http/batch/described-batches.ts'
import type { BatchDescription } from '../../src/http/openapi/batch-path.ts'
import { aggregates } from '../../src/routes/index.ts'
import { specOf } from '../../src/upstream/declare.ts'

/** The operations of the built-in upstreams that batches may call. */
export const builtInOperations = batchOperationsOf(upstreams.map(upstream => specOf(upstream)))

/** The batches of the service with the built-in aggregates. */
export const builtInBatches = describedBatches(
  'test',
  readBatchOptions('test', { operations: builtInOperations }),
  aggregates,
) as BatchDescription
