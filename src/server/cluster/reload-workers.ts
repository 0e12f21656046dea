import type { RemoteFiles } from '../../definitions/files-state.ts'
import type { LiveOverview } from '../../overview/live-overview.ts'
import type { WorkersReload } from './workers-reload.ts'

/**
 * Returns a function that reloads the definitions of workers, and returns the fields of the log line. A worker finds
 * the faults. This process evaluates no module, because a replaced module stays in memory.
 */
export function reloadWorkers(
  reloads: WorkersReload,
  files: RemoteFiles,
  live: LiveOverview | undefined,
): () => Promise<object> {
  return async () => {
    files.renew()
    const loaded = await reloads.reload()
    if (loaded === undefined) return {}
    live?.define(loaded.watched)
    return { aggregates: loaded.aggregates, evaluated: loaded.evaluated }
  }
}
