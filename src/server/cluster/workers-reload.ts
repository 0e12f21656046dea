import type { FastifyBaseLogger } from 'fastify'
import { DefinitionsError, type DefinitionFault } from '../../definitions/definitions-error.ts'
import { joinStates, type FilesState } from '../../definitions/files-state.ts'
import type { RefusedReload } from '../../http/lifecycle/health.ts'
import { maxReloads } from '../process/max-reloads.ts'
import { asOwnFault, asWorkerFault, changedFault, noAnswerOf, unservedFault } from './reload-faults.ts'
import { readReloadAnswer, type LoadedInWorker, type ReloadAnswers, type ReloadStep } from './reload-messages.ts'
import type { WorkerProcess } from './worker-process.ts'

export interface WorkersReloadOptions {
  /** The processes that have not exited. */
  readonly running: Iterable<WorkerProcess>
  /** Resolves when the next process is started. */
  readonly nextWorker: () => Promise<void>
  readonly log: FastifyBaseLogger
  /** Replaces all workers. Resolves at the end of the restart. */
  readonly restart: () => unknown
  /** Called with the state of the files that a worker has loaded. */
  readonly onFiles?: (files: FilesState) => void
  /** The number of reloads of a worker after which the workers are replaced. @default 1000 */
  readonly max?: number | undefined
}

/** The number of times that workers prepare definitions whose files change meanwhile. */
const mostRounds = 3

/** Reloads the definitions in all workers, or in none of them. */
export class WorkersReload {
  readonly #options: WorkersReloadOptions
  /** The number of times that each worker has loaded definitions after its start. */
  readonly #loads = new WeakMap<WorkerProcess, number>()
  #isRestarting = false
  /** The last reload of all workers or of a late one. They follow each other, because each has several steps. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(options: WorkersReloadOptions) {
    this.#options = options
  }

  /**
   * Reloads all workers. The first one prepares the definitions alone, because a fault can end its process. Then the
   * others prepare them, and then all serve them.
   *
   * @returns The definitions that the first worker has loaded.
   * @throws `DefinitionsError` with the faults of the workers. All of them then serve the previous definitions.
   */
  reload(): Promise<LoadedInWorker | undefined> {
    return this.#next(() => this.#reloadAll())
  }

  async #reloadAll(): Promise<LoadedInWorker | undefined> {
    const serving = await this.#firstServing()
    const starting = [...this.#options.running].filter(({ state }) => !state.isListening)
    const loaded = await this.#prepareAll(serving)
    const { faults } = await this.#ask(serving, { step: 'commit' })
    // A worker that starts may have read the files before the change, also if it listens now.
    for (const worker of starting) void this.#reloadLater(worker)
    if (faults.length > 0) this.#replaceAll(faults)
    else this.#restartAfterMax(serving)
    return loaded
  }

  /** Returns the workers that listen and are not told to stop. */
  #serving(): WorkerProcess[] {
    return [...this.#options.running].filter(({ state }) => state.isListening && state.shown !== 'stopping')
  }

  /** Returns the workers that serve. If all have exited, waits for those that start next. */
  async #firstServing(): Promise<WorkerProcess[]> {
    const { running, nextWorker } = this.#options
    if (this.#serving().length > 0) return this.#serving()
    if ([...running].length === 0) await nextWorker()
    await Promise.allSettled(Array.from(running, ({ listening }) => listening))
    if (this.#serving().length === 0) throw new DefinitionsError([unservedFault])
    return this.#serving()
  }

  /** Makes workers prepare the same state of the files. */
  async #prepareAll(serving: readonly WorkerProcess[]): Promise<LoadedInWorker | undefined> {
    const [first, ...others] = serving as readonly [WorkerProcess, ...WorkerProcess[]]
    for (let round = 0; round < mostRounds; round++) {
      let loaded: LoadedInWorker | undefined
      const states: FilesState[] = []
      for (const group of [[first], others]) {
        const prepared = await this.#ask(group, { step: 'prepare' })
        loaded ??= prepared.loaded
        states.push(...prepared.states)
        const { faults } = prepared
        if (faults.length === 0) continue
        this.#follow(states)
        // The faults of the first worker are those of the definitions, as one process would find them.
        await this.#refuse(serving, group === others ? faults : faults.map(asOwnFault))
      }
      this.#follow(states)
      if (joinStates(states)?.isSame !== false) return loaded
    }
    return this.#refuse(serving, [changedFault])
  }

  async #refuse(serving: readonly WorkerProcess[], faults: readonly DefinitionFault[]): Promise<never> {
    await this.#ask(serving, { step: 'drop' })
    throw new DefinitionsError(faults)
  }

  /** Returns the definitions that the workers serve, and passes on the state of their files. */
  async describe(): Promise<LoadedInWorker | undefined> {
    const [first] = this.#serving()
    if (first === undefined) return undefined
    const { loaded, states } = await this.#ask([first], { step: 'describe' })
    this.#follow(states)
    return loaded
  }

  /** Makes the workers show that a reload was refused. */
  refused(refused: RefusedReload): void {
    void this.#ask([...this.#options.running], { step: 'refused', refused })
  }

  /** Node.js keeps every module that it has evaluated, so a worker that has reloaded often is replaced. */
  #restartAfterMax(serving: readonly WorkerProcess[]): void {
    const { log, max = maxReloads } = this.#options
    const reloads = Math.max(0, ...serving.map(worker => this.#loads.get(worker) ?? 0))
    if (reloads < max || this.#isRestarting) return
    log.info({ reloads }, 'replacing all workers, because replaced modules stay in memory')
    void this.#restart()
  }

  async #restart(): Promise<void> {
    this.#isRestarting = true
    try {
      await this.#options.restart()
    } finally {
      this.#isRestarting = false
    }
  }

  async #reloadLater(worker: WorkerProcess): Promise<void> {
    try {
      await worker.listening
    } catch {
      return
    }
    await this.#next(async () => {
      for (const step of ['prepare', 'commit'] as const) {
        const { faults } = await this.#ask([worker], { step })
        if (faults.length > 0) return this.#replaceAll(faults)
      }
    })
  }

  #replaceAll(faults: readonly DefinitionFault[]): void {
    this.#options.log.warn(
      { faults: faults.map(({ reason }) => reason) },
      'a worker did not reload; replacing all workers',
    )
    void this.#restart()
  }

  /** Passes on the state of the files. A file that workers have loaded in different states counts as changed. */
  #follow(states: readonly FilesState[]): void {
    const joined = joinStates(states)
    if (joined !== undefined) this.#options.onFiles?.(joined.state)
  }

  /** Begins work after that before has ended. */
  #next<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => {})
    return done
  }

  /** Returns true for a worker without an answer whose successor reads the files of this reload. */
  #isReplaced(worker: WorkerProcess, { step }: ReloadStep): boolean {
    // A worker that exits in `prepare` may have been ended by the definitions.
    return worker.state.shown === 'stopping' || (step === 'commit' && ![...this.#options.running].includes(worker))
  }

  /** Makes workers do one step. Returns the faults of all of them, each once, and what the first one has loaded. */
  async #ask(workers: readonly WorkerProcess[], step: ReloadStep): Promise<ReloadAnswers> {
    const text = JSON.stringify(step)
    const answers = await Promise.all(
      workers.map(async worker => {
        if (step.step === 'prepare') this.#loads.set(worker, (this.#loads.get(worker) ?? 0) + 1)
        const answer = readReloadAnswer(await worker.ask('reload', text))
        return answer ?? (this.#isReplaced(worker, step) ? { faults: [] } : noAnswerOf(worker))
      }),
    )
    const [first] = answers
    return {
      faults: [...new Set(answers.flatMap(({ faults }) => faults))].map(asWorkerFault),
      loaded: first?.loaded,
      states: answers.flatMap(({ files }) => files ?? []),
    }
  }
}
