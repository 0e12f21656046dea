import type { BulkOptions } from '../../http/bulk/bulk-options.ts'
import { ConfigError } from '../../config.ts'
import { readRedisUrl, type RedisAddress } from '../../redis-config.ts'
import { partition, type Partition } from '../../core/partition.ts'
import type { Catalogue } from '../../definitions/catalogue.ts'

/**
 * Returns the option `bulk` of the app of a process.
 *
 * @param part - The part of a worker: it runs its share of the items. @default all of them
 * @returns `undefined` if no aggregate has `bulk: true`. Nothing of bulk runs is loaded then.
 * @throws `ConfigError` if the folder of bulk runs is missing in the configuration or cannot be used, or if the queue
 *   cannot be used. A queue whose server is down passes.
 */
export async function bulkOptionsOf(
  { aggregates, config: { bulk } }: Pick<Catalogue, 'aggregates' | 'config'>,
  part?: Partition,
): Promise<BulkOptions | undefined> {
  const first = aggregates.find(({ route }) => route.bulk)
  if (first === undefined) return undefined
  if (bulk === undefined)
    throw new ConfigError(
      `HEADWATERS_BULK_DIR: is required, because the aggregate '${first.name}' has bulk: true: ` +
        'set it to a folder for the inputs and the results of bulk runs, such as /var/lib/headwaters',
    )
  const { DiskStore } = await import('../../bulk/disk/disk-store.ts')
  try {
    await DiskStore.open(bulk.dir)
  } catch (error) {
    throw new ConfigError(
      `HEADWATERS_BULK_DIR: the folder cannot be used: ${(error as Error).message}: set it to a folder that ` +
        'this process may write',
      { cause: error },
    )
  }
  if (bulk.queue !== undefined) await checkServer(bulk.queue.url)
  return part === undefined ? bulk : { ...bulk, concurrency: Math.max(1, partition(bulk.concurrency, part)) }
}

async function checkServer(url: string): Promise<void> {
  const { checkQueue } = await import('../../bulk/queue/check-queue.ts')
  try {
    await checkQueue(readRedisUrl(url) as RedisAddress, 'HEADWATERS_BULK_URL')
  } catch (error) {
    if (error instanceof TypeError) throw new ConfigError(error.message, { cause: error })
    throw error
  }
}
