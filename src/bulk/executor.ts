import { setTimeout as delay } from 'node:timers/promises'
import type { AnyAggregate } from '../fanout/aggregate.ts'
import type { BulkListener } from './bulk-listener.ts'
import { hasEnded, type BulkRun } from './bulk-run.ts'
import { ChunkRunner } from './chunk-runner.ts'
import type { AssignedChunk, ChunkEnd, ChunkSource } from './chunk-source.ts'
import { FailedRuns } from './failed-runs.ts'
import type { Journal } from './journal.ts'
import type { ChunkServices } from './run-chunk.ts'
import { RunWork } from './run-work.ts'
import { firstStorePause, nextStorePause } from './store-pauses.ts'

/** The options of an executor. */
export interface ExecutorOptions {
  readonly journal: Journal
  /** Distributes the chunks over the processes that share the journal. */
  readonly chunks: ChunkSource
  /** The aggregates of runs, by name. */
  readonly aggregates: ReadonlyMap<string, AnyAggregate>
  readonly services: ChunkServices
  readonly listener: BulkListener
  /** The time between two looks for runs and for changes of other processes, in ms. @default 1000 */
  readonly pollMs?: number
  /** The time between two looks for ended runs that were removed and created again, in ms. @default 60_000 */
  readonly recheckMs?: number
  /** The id of the only run to work on. @default all runs */
  readonly run?: string
}

/**
 * Works on the runs of a journal, one chunk at a time, in turn over the runs. Several executors may share a journal. A
 * chunk that is interrupted has no results, and is run again later.
 */
export class BulkExecutor {
  readonly #options: ExecutorOptions
  readonly #pollMs: number
  readonly #runner: ChunkRunner
  readonly #work = new Map<string, RunWork>()
  /** The runs that have ended, and those without an aggregate. */
  readonly #ended = new Set<string>()
  readonly #missing = new Set<string>()
  readonly #failed = new FailedRuns()
  #recheckedAt = performance.now()
  #wake = new AbortController()
  #working: Promise<void> | undefined

  constructor(options: ExecutorOptions) {
    this.#options = options
    this.#pollMs = options.pollMs ?? 1000
    this.#runner = new ChunkRunner({ ...options, pollMs: this.#pollMs })
  }

  /** Starts the work, if it has not started. */
  start(): void {
    if (this.#isStopped || this.#working !== undefined) return
    this.#options.chunks.open()
    this.#working = this.#workUntilStopped()
  }

  /**
   * Looks for work now: a run was created or resumed.
   *
   * @param run The id of the run. A removed run with this id may have ended. @default no new run
   */
  wake(run?: string): void {
    if (run !== undefined) this.#ended.delete(run)
    this.#wake.abort()
  }

  /** Stops the chunk of a run that was cancelled. */
  interrupt(run: string): void {
    this.#runner.interrupt(run)
  }

  /** Stops the work. Resolves when no item runs. */
  async stop(): Promise<void> {
    this.#runner.stop()
    await this.#working
    await this.#options.chunks.close()
  }

  /** Works until no run can go on in this process: all have ended, are paused, or are held by other processes. */
  async drain(): Promise<void> {
    while (await this.#round());
  }

  get #isStopped(): boolean {
    return this.#runner.signal.aborted
  }

  async #workUntilStopped(): Promise<void> {
    let pauseMs = firstStorePause
    while (!this.#isStopped) {
      this.#wake = new AbortController()
      try {
        if (!(await this.#round())) await this.#idle(this.#pollMs)
        pauseMs = firstStorePause
      } catch (error) {
        if (this.#isStopped) return
        this.#options.listener.storeFailed(error, pauseMs)
        await this.#idle(pauseMs)
        pauseMs = nextStorePause(pauseMs)
      }
    }
  }

  async #idle(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: AbortSignal.any([this.#wake.signal, this.#runner.signal]) }).catch(() => {})
  }

  /** Runs one chunk per run. Returns false if there was no chunk to run. */
  async #round(): Promise<boolean> {
    let hasWorked = false
    const states = { running: 0, paused: 0 }
    for (const { owner, id } of await this.#listed()) {
      if (this.#isStopped) return false
      if (this.#ended.has(id)) continue
      const isDue = !this.#failed.isPausing(id)
      try {
        const run = await this.#options.journal.find(owner, id)
        if (run === undefined) continue
        if (hasEnded(run)) this.#forget(id)
        else states[run.state as keyof typeof states]++
        if (!isDue) continue
        if (run.state === 'running' && (await this.#workOn(run))) hasWorked = true
        this.#failed.delete(id)
      } catch (error) {
        if (this.#isStopped) throw error
        if (isDue) this.#options.listener.storeFailed(error, this.#failed.add(id))
      }
    }
    this.#options.listener.runsRead(states)
    return hasWorked
  }

  /** Returns all runs, and forgets those that were removed. */
  async #listed() {
    const { recheckMs = 60_000, journal } = this.#options
    if (performance.now() - this.#recheckedAt >= recheckMs) {
      this.#ended.clear()
      this.#recheckedAt = performance.now()
    }
    const listed = await journal.all()
    const ids = new Set(listed.map(({ id }) => id))
    for (const known of [this.#ended, this.#missing, this.#work, this.#failed])
      for (const id of known.keys()) if (!ids.has(id)) known.delete(id)
    const { run } = this.#options
    return run === undefined ? listed : listed.filter(({ id }) => id === run)
  }

  #forget(id: string): void {
    this.#ended.add(id)
    this.#work.delete(id)
  }

  /** Runs one chunk of a run, or one that is due before it. Returns false if this process has no chunk to run. */
  async #workOn(run: BulkRun): Promise<boolean> {
    const { aggregates, listener, journal, chunks } = this.#options
    if (!aggregates.has(run.aggregate)) {
      if (!this.#missing.has(run.id)) listener.aggregateMissing(run)
      this.#missing.add(run.id)
      return false
    }
    const work = await this.#workOf(run)
    // While other runs have chunks, the search for a chunk of this run does not return undefined.
    if (!work.isComplete) {
      const chunk = await chunks.next(work)
      if (chunk !== undefined) return this.#runAssigned(chunk, run)
      if (!work.isComplete) return false
    }
    if (await journal.end(run, 'completed')) listener.runCompleted(run, work.results.counts)
    this.#forget(run.id)
    return true
  }

  async #workOf(run: BulkRun): Promise<RunWork> {
    const { journal, listener } = this.#options
    let work = this.#work.get(run.id)
    if (work?.run.upload !== run.upload) {
      work = new RunWork(run, journal)
      await work.results.refresh()
      this.#work.set(run.id, work)
      listener.runStarted(run)
    }
    return work
  }

  /** Runs a chunk. Returns false if another process must do it. */
  async #runAssigned(chunk: AssignedChunk, current: BulkRun): Promise<boolean> {
    const { journal } = this.#options
    let end: ChunkEnd = 'interrupted'
    try {
      const run = chunk.run === current.id ? current : await journal.find(chunk.owner, chunk.run)
      end = await this.#endOf(chunk, run)
    } finally {
      await chunk.end(end)
    }
    return end !== 'refused'
  }

  async #endOf({ run: id, upload, number }: AssignedChunk, run: BulkRun | undefined): Promise<ChunkEnd> {
    if (run?.state !== 'running' || run.upload !== upload) {
      // The chunk is found again after the end of the pause.
      this.#work.get(id)?.rewind()
      return 'unwanted'
    }
    const aggregate = this.#options.aggregates.get(run.aggregate)
    if (aggregate === undefined) return 'refused'
    return this.#runner.run(await this.#workOf(run), aggregate, number)
  }
}
