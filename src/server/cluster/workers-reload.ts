import type { FastifyBaseLogger } from 'fastify'
import { DefinitionsError, type DefinitionFault } from '../../definitions/definitions-error.ts'
import type { RefusedReload } from '../../http/lifecycle/health.ts'
import { readReloadAnswer, type ReloadStep } from './reload-messages.ts'
import type { WorkerProcess } from './worker-process.ts'

export interface WorkersReloadOptions {
  /** The processes that have not exited. */
  readonly running: Iterable<WorkerProcess>
  readonly log: FastifyBaseLogger
  /** Replaces all workers. */
  readonly restart: () => void
}

/** Reloads the definitions in all workers, or in none of them. */
export class WorkersReload {
  readonly #options: WorkersReloadOptions

  constructor(options: WorkersReloadOptions) {
    this.#options = options
  }

  /**
   * Reloads all workers. The first one prepares the definitions alone, because a fault can end its process. Then the
   * others prepare them, and then all serve them.
   *
   * @throws `DefinitionsError` with the faults of the workers. All of them then serve the previous definitions.
   */
  async reload(): Promise<void> {
    const workers = [...this.#options.running]
    const serving = workers.filter(({ state }) => state.isListening && state.shown !== 'stopping')
    for (const group of [serving.slice(0, 1), serving.slice(1)]) {
      const faults = await faultsOf(group, { step: 'prepare' })
      if (faults.length === 0) continue
      await faultsOf(serving, { step: 'drop' })
      throw new DefinitionsError(faults)
    }
    const faults = await faultsOf(serving, { step: 'commit' })
    // A worker that starts may have read the files before the change.
    for (const worker of workers) if (!worker.state.isListening) void reloadLater(worker)
    if (faults.length === 0) return
    this.#options.log.warn(
      { faults: faults.map(({ reason }) => reason) },
      'a worker did not reload; replacing all workers',
    )
    this.#options.restart()
  }

  /** Makes the workers show that a reload was refused. */
  refused(refused: RefusedReload): void {
    void faultsOf([...this.#options.running], { step: 'refused', refused })
  }
}

async function reloadLater(worker: WorkerProcess): Promise<void> {
  try {
    await worker.listening
  } catch {
    return
  }
  await faultsOf([worker], { step: 'prepare' })
  await faultsOf([worker], { step: 'commit' })
}

/** Makes workers do one step. Returns the faults of all of them, each once. */
async function faultsOf(workers: readonly WorkerProcess[], step: ReloadStep): Promise<readonly DefinitionFault[]> {
  const text = JSON.stringify(step)
  const reasons = await Promise.all(
    workers.map(async worker => {
      const answer = readReloadAnswer(await worker.ask('reload', text))
      return answer?.faults ?? [`worker ${worker.number} gave no answer when the definitions were loaded`]
    }),
  )
  return [...new Set(reasons.flat())].map(reason => ({ file: 'a worker', reason }))
}
