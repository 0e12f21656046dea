import type { FastifyBaseLogger } from 'fastify'
import type { Progress, ProgressReader, RunProgress } from '../../bulk/progress.ts'
import type { Config } from '../../config.ts'
import type { BulkRow } from '../../dashboard/protocol.ts'
import type { BulkSource } from '../../overview/bulk-watch.ts'

/**
 * Returns the bulk runs for the dashboard. Nothing of them is loaded or opened before a dashboard is.
 *
 * @returns `undefined` if the service has no folder for bulk runs.
 */
export function bulkSourceOf({ bulk }: Pick<Config, 'bulk'>, log: FastifyBaseLogger): BulkSource | undefined {
  if (bulk === undefined) return undefined
  let reader: ProgressReader | undefined
  let hasFailed = false
  return {
    async read(offered) {
      try {
        reader ??= await openReader(bulk.dir)
        const progress = await reader.look()
        hasFailed = false
        return shown(progress, offered)
      } catch (err) {
        if (!hasFailed) log.warn({ err }, 'bulk runs cannot be read for the dashboard')
        hasFailed = true
        throw err
      }
    },
  }
}

async function openReader(dir: string): Promise<ProgressReader> {
  const [{ DiskStore }, { Journal }, { ProgressReader }] = await Promise.all([
    import('../../bulk/disk/disk-store.ts'),
    import('../../bulk/journal.ts'),
    import('../../bulk/progress.ts'),
  ])
  return new ProgressReader(new Journal(await DiskStore.open(dir)))
}

function shown({ runs, all }: Progress, offered: ReadonlySet<string>): { rows: readonly BulkRow[]; all: number } {
  return { rows: runs.map(each => rowOf(each, offered)), all }
}

/** Returns a run as the dashboard shows it. It leaves out the owner, which is a digest of an API key. */
function rowOf({ run, done, counts }: RunProgress, offered: ReadonlySet<string>): BulkRow {
  const { id, aggregate, state, items, createdAt, endedAt, retention } = run
  return {
    id,
    aggregate,
    state: state === 'running' && !offered.has(aggregate) ? 'waiting' : state,
    items,
    done,
    counts: counts ?? null,
    createdAt,
    endedAt: endedAt ?? null,
    expiresAt: endedAt === undefined ? null : endedAt + retention,
  }
}
