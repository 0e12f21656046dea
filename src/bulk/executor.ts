import { setMaxListeners } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type { AnyAggregate } from '../fanout/aggregate.ts'
import type { BulkListener } from './bulk-listener.ts'
import { hasEnded, type BulkRun } from './bulk-run.ts'
import type { ChunkClaims } from './chunk-claims.ts'
import type { Journal } from './journal.ts'
import { encodeChunk } from './result-chunk.ts'
import { runChunk, type ChunkServices } from './run-chunk.ts'
import { RunWork } from './run-work.ts'

/** The options of an executor. */
export interface ExecutorOptions {
  readonly journal: Journal
  readonly claims: ChunkClaims
  /** The aggregates of runs, by name. */
  readonly aggregates: ReadonlyMap<string, AnyAggregate>
  readonly services: ChunkServices
  readonly listener: BulkListener
  /** The time between two looks for runs and for changes of other processes, in ms. @default 1000 */
  readonly pollMs?: number
  /** The id of the only run to work on. @default all runs */
  readonly run?: string
}

/** The pauses after failures of the store, in ms. */
const firstPauseMs = 500
const longestPauseMs = 30_000

/** The reason for which a chunk is left undone. */
const stopped = new DOMException('the work on bulk runs was stopped', 'AbortError')

/**
 * Works on the runs of a journal, one chunk at a time, in turn over the runs. Several executors may share a journal. A
 * chunk that is interrupted has no results, and is run again later.
 */
export class BulkExecutor {
  readonly #options: ExecutorOptions
  readonly #pollMs: number
  readonly #stop = new AbortController()
  readonly #work = new Map<string, RunWork>()
  /** The runs that have ended, and those without an aggregate. */
  readonly #ended = new Set<string>()
  readonly #missing = new Set<string>()
  #wake = new AbortController()
  #chunk: { readonly run: string; readonly abort: AbortController } | undefined
  #working: Promise<void> | undefined

  constructor(options: ExecutorOptions) {
    this.#options = options
    this.#pollMs = options.pollMs ?? 1000
    setMaxListeners(0, this.#stop.signal)
  }

  /** Starts the work, if it has not started. */
  start(): void {
    if (!this.#stop.signal.aborted) this.#working ??= this.#workUntilStopped()
  }

  /** Looks for work now: a run was created or resumed. */
  wake(): void {
    this.#wake.abort()
  }

  /** Stops the chunk of a run that was cancelled. */
  interrupt(run: string): void {
    if (this.#chunk?.run === run) this.#chunk.abort.abort(stopped)
  }

  /** Stops the work. Resolves when no item runs. */
  async stop(): Promise<void> {
    this.#stop.abort(stopped)
    this.#chunk?.abort.abort(stopped)
    await this.#working
  }

  /** Works until no run can go on in this process: all have ended, are paused, or are held by other processes. */
  async drain(): Promise<void> {
    while (await this.#round());
  }

  async #workUntilStopped(): Promise<void> {
    let pauseMs = firstPauseMs
    while (!this.#stop.signal.aborted) {
      this.#wake = new AbortController()
      try {
        if (!(await this.#round())) await this.#idle(this.#pollMs)
        pauseMs = firstPauseMs
      } catch (error) {
        if (this.#stop.signal.aborted) return
        this.#options.listener.storeFailed(error, pauseMs)
        await this.#idle(pauseMs)
        pauseMs = Math.min(longestPauseMs, 2 * pauseMs)
      }
    }
  }

  async #idle(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: AbortSignal.any([this.#wake.signal, this.#stop.signal]) }).catch(() => {})
  }

  /** Runs one chunk of each run. Returns false if there was no chunk to run. */
  async #round(): Promise<boolean> {
    let hasWorked = false
    const states = { running: 0, paused: 0 }
    for (const { owner, id } of await this.#listed()) {
      if (this.#stop.signal.aborted) return false
      if (this.#ended.has(id)) continue
      const run = await this.#options.journal.find(owner, id)
      if (run === undefined) continue
      if (hasEnded(run)) this.#forget(id)
      else states[run.state as keyof typeof states]++
      if (run.state === 'running' && (await this.#workOn(run))) hasWorked = true
    }
    this.#options.listener.runsRead(states)
    return hasWorked
  }

  /** Returns all runs, and forgets those that were removed. */
  async #listed() {
    const listed = await this.#options.journal.all()
    const ids = new Set(listed.map(({ id }) => id))
    for (const known of [this.#ended, this.#missing, this.#work])
      for (const id of known.keys()) if (!ids.has(id)) known.delete(id)
    const { run } = this.#options
    return run === undefined ? listed : listed.filter(({ id }) => id === run)
  }

  #forget(id: string): void {
    this.#ended.add(id)
    this.#work.delete(id)
  }

  /** Runs one chunk of a run. Returns false if the run has no chunk for this process. */
  async #workOn(run: BulkRun): Promise<boolean> {
    const { aggregates, listener, journal } = this.#options
    const aggregate = aggregates.get(run.aggregate)
    if (aggregate === undefined) {
      if (!this.#missing.has(run.id)) listener.aggregateMissing(run)
      this.#missing.add(run.id)
      return false
    }
    const work = await this.#workOf(run)
    const claimed = await work.claim()
    if (claimed !== undefined) {
      try {
        await this.#runChunk(run, aggregate, work, claimed.number)
      } finally {
        await claimed.release()
      }
      return true
    }
    if (!work.isComplete) return false
    if (await journal.end(run, 'completed')) listener.runCompleted(run, work.results.counts)
    this.#forget(run.id)
    return true
  }

  async #workOf(run: BulkRun): Promise<RunWork> {
    const { journal, claims, listener } = this.#options
    let work = this.#work.get(run.id)
    if (work === undefined) {
      work = new RunWork(run, journal, claims)
      await work.results.refresh()
      this.#work.set(run.id, work)
      listener.runStarted(run)
    }
    return work
  }

  async #runChunk(run: BulkRun, aggregate: AnyAggregate, work: RunWork, number: number): Promise<void> {
    const { journal, services, listener } = this.#options
    const lines = await journal.inputs(run, number)
    // The run was removed.
    if (lines === undefined) return
    const abort = new AbortController()
    setMaxListeners(0, abort.signal)
    if (this.#stop.signal.aborted) return
    this.#chunk = { run: run.id, abort }
    const watch = setInterval(() => void this.#stopIfEnded(run, abort), this.#pollMs)
    try {
      const { lines: texts, counts } = await runChunk({ run: run.id, aggregate, number, lines }, services, abort.signal)
      if (await this.#store(work, number, encodeChunk(texts, counts))) listener.itemsEnded(counts)
    } catch (error) {
      if (!abort.signal.aborted) throw error
    } finally {
      clearInterval(watch)
      this.#chunk = undefined
    }
  }

  /** Stops a chunk whose run another process has cancelled or removed. */
  async #stopIfEnded(run: BulkRun, abort: AbortController): Promise<void> {
    const now = await this.#options.journal.find(run.owner, run.id).catch(() => run)
    if (now === undefined || hasEnded(now)) abort.abort(stopped)
  }

  /** Stores results. Repeats this after a failure of the store, so that the items need not run again. */
  async #store(work: RunWork, number: number, object: Buffer): Promise<boolean> {
    let pauseMs = firstPauseMs
    for (;;) {
      try {
        return await work.store(number, object)
      } catch (error) {
        this.#options.listener.storeFailed(error, pauseMs)
        await delay(pauseMs, undefined, { signal: this.#stop.signal })
        pauseMs = Math.min(longestPauseMs, 2 * pauseMs)
      }
    }
  }
}
