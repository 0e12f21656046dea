import { toProblem, type Fault } from '../errors.ts'
import type { BatchCall } from './batch-call.ts'
import { BatchRun } from './batch-run.ts'
import type { BatchAggregate, BatchStartOptions } from './batch-start.ts'
import type { BatchOffer } from './offer.ts'
import { readBatch } from './read-batch.ts'

export type { BatchRun } from './batch-run.ts'

/**
 * Reads the body of a batch and creates a batch that has not started.
 *
 * @param faults Faults of other parts of the request, which are reported with those of the body.
 * @throws Problem `INPUT_INVALID` with every fault, before anything is sent
 */
export function startBatch(
  offer: BatchOffer,
  body: unknown,
  options: BatchStartOptions,
  faults?: readonly Fault[],
): BatchRun {
  const describe = (calls: readonly BatchCall[]): BatchAggregate => ({
    name: 'batch',
    route: options.route ?? { method: 'POST', url: '/v1/batch' },
    steps: calls.map(({ id }) => ({ name: id })),
  })
  let read
  try {
    read = readBatch(offer, body, options, faults)
  } catch (error) {
    // A function in a schema may throw anything.
    const problem = toProblem(error)
    options.spans?.(describe([]))?.runEnded('failed', problem.code)
    throw problem
  }
  const { calls, deadline = Infinity } = read
  const described = describe(calls)
  return new BatchRun(
    { calls, deadline: Math.min(deadline, options.deadline), described, spans: options.spans?.(described) },
    options,
  )
}
