import { setMaxListeners } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type { AnyAggregate } from '../fanout/aggregate.ts'
import type { BulkListener } from './bulk-listener.ts'
import { hasEnded, type BulkRun } from './bulk-run.ts'
import type { ChunkEnd } from './chunk-source.ts'
import type { Journal } from './journal.ts'
import { encodeChunk } from './result-chunk.ts'
import { runChunk, type ChunkServices } from './run-chunk.ts'
import type { RunWork } from './run-work.ts'
import { nextStorePause, firstStorePause } from './store-pauses.ts'

export interface ChunkRunnerOptions {
  readonly journal: Journal
  readonly services: ChunkServices
  readonly listener: BulkListener
  /** The time between two looks for the end of the run by another process, in ms. */
  readonly pollMs: number
}

/** The reason for which a chunk is left undone. */
const stopped = new DOMException('the work on bulk runs was stopped', 'AbortError')

/** Runs chunks one at a time, and stores their results. A chunk that is interrupted has no results. */
export class ChunkRunner {
  readonly #options: ChunkRunnerOptions
  readonly #stop = new AbortController()
  #chunk: { readonly run: string; readonly abort: AbortController } | undefined

  constructor(options: ChunkRunnerOptions) {
    this.#options = options
    setMaxListeners(0, this.#stop.signal)
  }

  /** Is aborted when the work is stopped. */
  get signal(): AbortSignal {
    return this.#stop.signal
  }

  /** Stops the chunk of a run that was cancelled. */
  interrupt(run: string): void {
    if (this.#chunk?.run === run) this.#chunk.abort.abort(stopped)
  }

  /** Stops the work for good. */
  stop(): void {
    this.#stop.abort(stopped)
    this.#chunk?.abort.abort(stopped)
  }

  /** Runs a chunk and stores its results. */
  async run(work: RunWork, aggregate: AnyAggregate, number: number): Promise<ChunkEnd> {
    const { journal, services, listener, pollMs } = this.#options
    const { run } = work
    const lines = await journal.inputs(run, number)
    if (lines === undefined) {
      if ((await journal.find(run.owner, run.id))?.upload !== run.upload) return 'unwanted'
      throw new Error(`the inputs of chunk ${number} of the run ${run.id} are missing: cancel the run`)
    }
    const abort = new AbortController()
    setMaxListeners(0, abort.signal)
    if (this.#stop.signal.aborted) return 'interrupted'
    this.#chunk = { run: run.id, abort }
    const watch = setInterval(() => void this.#stopIfEnded(run, abort), pollMs)
    let end: ChunkEnd = 'stored'
    try {
      const { lines: texts, counts } = await runChunk({ run: run.id, aggregate, number, lines }, services, abort.signal)
      if (await this.#store(work, number, encodeChunk(texts, counts))) listener.itemsEnded(counts)
    } catch (error) {
      if (!abort.signal.aborted) throw error
      end = this.#stop.signal.aborted ? 'interrupted' : 'unwanted'
    } finally {
      clearInterval(watch)
      this.#chunk = undefined
    }
    return end
  }

  /** Stops a chunk whose run another process has cancelled or removed. */
  async #stopIfEnded(run: BulkRun, abort: AbortController): Promise<void> {
    const now = await this.#options.journal.find(run.owner, run.id).catch(() => run)
    if (now?.upload !== run.upload || hasEnded(now)) abort.abort(stopped)
  }

  /** Stores results. Repeats this after a failure of the store, so that the items need not run again. */
  async #store(work: RunWork, number: number, object: Buffer): Promise<boolean> {
    let pauseMs = firstStorePause
    for (;;) {
      try {
        return await work.store(number, object)
      } catch (error) {
        this.#options.listener.storeFailed(error, pauseMs)
        await delay(pauseMs, undefined, { signal: this.#stop.signal })
        pauseMs = nextStorePause(pauseMs)
      }
    }
  }
}
