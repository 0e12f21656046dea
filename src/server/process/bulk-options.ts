import type { BulkOptions } from '../../http/bulk/bulk-options.ts'
import { ConfigError } from '../../config.ts'
import { partition, type Partition } from '../../core/partition.ts'
import type { Catalogue } from '../../definitions/catalogue.ts'

/**
 * Returns the option `bulk` of the app of a process.
 *
 * @param part - The part of a worker: it runs its share of the items. @default all of them
 * @returns `undefined` if no aggregate has `bulk: true`. Nothing of bulk runs is loaded then.
 * @throws `ConfigError` if the folder of bulk runs is missing in the configuration, or cannot be used
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
  return part === undefined ? bulk : { ...bulk, concurrency: Math.max(1, partition(bulk.concurrency, part)) }
}
