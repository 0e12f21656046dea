import { setTimeout as delay } from 'node:timers/promises'
import { runPieces } from '../../core/pieces.ts'
import { ChunkWriter } from '../../metrics/chunks.ts'
import { contentTypes, type MetricsFormat } from '../../metrics/format.ts'
import { MergedMetrics, type ReceivedMetrics } from '../../metrics/merge.ts'
import { renderTables } from '../../metrics/render.ts'
import type { Series } from '../../metrics/series.ts'
import { sharedSource, type MetricsSource } from '../../metrics/source.ts'
import { lastMessagesRead } from './last-messages.ts'
import type { Collect } from './metrics-channel.ts'
import type { WorkerProcess } from './worker-process.ts'

/** The time that a worker has to send its metrics, in ms. */
const answerMs = 1000

/** The metrics of the primary and all workers. */
export class ServiceMetrics {
  readonly source: MetricsSource
  readonly #merged = new MergedMetrics()
  readonly #running = new Map<WorkerProcess, ReceivedMetrics>()
  readonly #collectOwn: Collect
  readonly #own = this.#merged.open()
  readonly #writer = new ChunkWriter()

  /** @param collectOwn Returns the series of the primary. */
  constructor(collectOwn: Collect) {
    this.#collectOwn = collectOwn
    this.source = sharedSource(async format => renderTables(await this.#collect(), format))
  }

  /** Renders the metrics for a scrape of a worker. */
  readonly render = async (format: MetricsFormat): Promise<string> =>
    (await this.source.render(contentTypes[format])).body

  /** Returns the place for the series of a new worker. */
  open(): ReceivedMetrics {
    return this.#merged.open()
  }

  /** Adds a worker. Its counters stay after its exit. */
  track(worker: WorkerProcess, received: ReceivedMetrics): void {
    this.#running.set(worker, received)
    void worker.exited.then(async () => {
      this.#running.delete(worker)
      await lastMessagesRead()
      this.#merged.retire(received)
    })
  }

  /**
   * Asks all workers for their series and adds them up. A worker that does not answer in time has its last known
   * counters in the sum, and no gauges.
   */
  async #collect(): Promise<readonly Series[]> {
    const present = new Set([this.#own])
    const limit = new AbortController()
    const late = delay(answerMs, undefined, { signal: limit.signal }).catch(() => {})
    const answers = Array.from(this.#running, async ([worker, received]) => {
      if (await worker.collectMetrics()) present.add(received)
    })
    try {
      await Promise.race([late, Promise.all(answers)])
      // The families of the workers come first in the text.
      await this.#receiveOwn()
    } finally {
      limit.abort()
    }
    return runPieces(this.#merged.sum(new Set(present)))
  }

  async #receiveOwn(): Promise<void> {
    for (const chunk of this.#writer.write(await this.#collectOwn())) this.#own.apply(chunk)
  }
}
