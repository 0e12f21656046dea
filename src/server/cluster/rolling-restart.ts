import type { FastifyBaseLogger } from 'fastify'
import { reasonOf, type Replica } from './replica.ts'
import type { WorkerProcess } from './worker-process.ts'

export interface RollingRestartOptions {
  readonly log: FastifyBaseLogger
  /** True if the service stops, which ends the restart. */
  readonly isStopping: () => boolean
  /** Stops a worker that was replaced. */
  readonly stopReplaced: (worker: WorkerProcess) => Promise<unknown>
}

/**
 * Replaces the workers one after the other: each new worker listens before the previous one stops. Ends at the first
 * worker that cannot start.
 *
 * @returns True if all workers were replaced.
 */
export async function rollingRestart(
  replicas: readonly Replica[],
  { log, isStopping, stopReplaced }: RollingRestartOptions,
): Promise<boolean> {
  log.info({ workers: replicas.length }, 'rolling restart started')
  for (const replica of replicas) {
    await replica.finishRestart()
    if (isStopping()) return false
    let previous
    try {
      previous = await replica.replace()
    } catch (error) {
      if (isStopping()) return false
      log.error(
        { worker: replica.index + 1, ...reasonOf(error), restarted: replica.index },
        'rolling restart failed; the previous workers keep serving',
      )
      if (replica.current === undefined) replica.restartLater()
      return false
    }
    if (previous !== undefined) await stopReplaced(previous)
  }
  log.info({ workers: replicas.length }, 'rolling restart completed')
  return true
}
