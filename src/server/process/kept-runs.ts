import type { Config } from '../../config.ts'
import { partition, type Partition } from '../../core/partition.ts'
import { KeptRuns } from '../../kept/kept-runs.ts'
import type { RunSource } from '../../kept/run-source.ts'
import { processRedaction } from '../../log/process-log.ts'

/**
 * Returns the kept runs of this process. Its secrets are hidden when a run is read.
 *
 * @param part - The part of a worker: it keeps its share of the runs. @default all of them
 * @returns `undefined` if the service has no admin listener, or if `KEPT_RUNS` is 0.
 */
export function openKeptRuns({ admin }: Pick<Config, 'admin'>, part?: Partition): KeptRuns | undefined {
  const { listener, keptRuns } = admin
  if (listener === undefined || keptRuns === 0) return undefined
  const { hide } = processRedaction()
  if (part === undefined) return new KeptRuns({ limit: keptRuns, hide })
  return new KeptRuns({ limit: Math.max(1, partition(keptRuns, part)), worker: part.index + 1, hide })
}

/** Returns the source of a service of one process. */
export function ownRuns(keptRuns: KeptRuns): RunSource {
  return { find: async id => keptRuns.find(id), list: async filter => keptRuns.list(filter) }
}
