import type { BulkStore } from '../object-store.ts'
import { checkQueue } from './check-queue.ts'
import { QueueConnection, type QueueConnectionOptions } from './queue-connection.ts'
import { queueNameOf } from './queue-name.ts'
import { QueuedChunks } from './queued-chunks.ts'

/**
 * Checks the server of the queue of a store, and returns the distribution of chunks by this queue.
 *
 * @throws `TypeError` if a package is missing, if the server may evict jobs, or if it does not have the database
 */
export async function openQueuedChunks(
  store: BulkStore,
  options: Omit<QueueConnectionOptions, 'name'>,
): Promise<QueuedChunks> {
  await checkQueue(options.address, options.option)
  const name = await queueNameOf(store)
  return new QueuedChunks(store, new QueueConnection({ ...options, name }))
}
