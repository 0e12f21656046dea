import type { FastifyInstance } from 'fastify'
import { requestsRoutes } from '../../admin/requests-routes.ts'
import type { Config } from '../../config.ts'
import { partition, type Partition } from '../../core/partition.ts'
import { KeptRuns } from '../../kept/kept-runs.ts'
import type { RunSource } from '../../kept/run-source.ts'
import { processRedaction } from '../../log/process-log.ts'
import type { OpenSharedState } from './shared-state.ts'
import type { ShutdownOptions } from './shutdown.ts'

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

/** The services of a process that serves alone. */
export interface ServedOptions {
  /** Sends the last spans before the process ends. @default there are no spans */
  readonly flushSpans: ShutdownOptions['flushSpans']
  /** The kept runs; `undefined` if runs are not kept. */
  readonly keptRuns: KeptRuns | undefined
  /** The state that replicas share; `undefined` if they share nothing. */
  readonly shared: OpenSharedState | undefined
}

/** Returns the kept runs of this process for its admin listener. */
export function ownRuns(keptRuns: KeptRuns): RunSource {
  return { find: async id => keptRuns.find(id), list: async filter => keptRuns.list(filter) }
}

/**
 * Returns the routes of kept runs for an admin listener.
 *
 * @param source - Returns the source of the present runs; `undefined` if runs are not kept.
 */
export function runRoutes(
  { admin: { key } }: Pick<Config, 'admin'>,
  source: () => RunSource | undefined,
): readonly ((app: FastifyInstance) => void)[] {
  if (source() === undefined) return []
  const present = (): RunSource => source() as RunSource
  const current: RunSource = { find: async id => present().find(id), list: async filter => present().list(filter) }
  return [requestsRoutes(current, { key })]
}
