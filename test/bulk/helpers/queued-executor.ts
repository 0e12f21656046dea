import type { Test } from 'tap'
import type { BulkStore } from '../../../src/bulk/object-store.ts'
import { openQueuedChunks } from '../../../src/bulk/queue/open-queued-chunks.ts'
import type { QueueChange } from '../../../src/bulk/queue/queue-connection.ts'
import { readRedisUrl, type RedisAddress } from '../../../src/redis-config.ts'
import type { AnyAggregate } from '../../../src/fanout/aggregate.ts'
import { executorOf } from './runs.ts'

/** Returns the parts of the URL of a server. */
export const addressOf = (url: string) => readRedisUrl(url) as RedisAddress

/** Starts an executor that shares the runs of a store by the queue of a server. It stops with the test. */
export async function queuedExecutor(
  t: Test,
  store: BulkStore,
  url: string,
  options: { readonly aggregates?: readonly AnyAggregate[] } = {},
) {
  const changes: QueueChange[] = []
  const chunks = await openQueuedChunks(store, {
    address: addressOf(url),
    option: 'bulk.queue.url',
    onChange(change) {
      changes.push(change)
      if (change.isAvailable) opened.executor.wake()
    },
  })
  const opened = executorOf(store, { ...options, chunks })
  t.teardown(() => opened.executor.stop())
  opened.executor.start()
  return { ...opened, changes }
}
