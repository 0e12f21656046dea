import { hash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { Problem } from '../../errors.ts'
import type { BulkRun } from '../../bulk/bulk-run.ts'
import type { BulkExecutor } from '../../bulk/executor.ts'
import type { Journal } from '../../bulk/journal.ts'
import { Results } from '../../bulk/results.ts'
import type { BulkMetrics } from '../../metrics/bulk-metrics.ts'
import type { BulkSettings } from './bulk-options.ts'

/** The number of runs whose summaries stay in memory. */
const maxKnown = 32

/** The owner of all runs of an app that requires no API key. */
const anyCaller = 'any'

/** The bulk runs of one app, as its routes use them. */
export class BulkService {
  readonly journal: Journal
  readonly executor: BulkExecutor
  readonly metrics: BulkMetrics
  readonly settings: BulkSettings
  /** The names of the aggregates with `bulk: true`. */
  readonly names: ReadonlySet<string>
  readonly #keyOf: (request: FastifyRequest) => string | undefined
  /** The results of runs that were read last, by upload. The least recent is first. */
  readonly #results = new Map<string, Results>()

  constructor(options: {
    readonly journal: Journal
    readonly executor: BulkExecutor
    readonly metrics: BulkMetrics
    readonly settings: BulkSettings
    readonly names: ReadonlySet<string>
    readonly keyOf: (request: FastifyRequest) => string | undefined
  }) {
    this.journal = options.journal
    this.executor = options.executor
    this.metrics = options.metrics
    this.settings = options.settings
    this.names = options.names
    this.#keyOf = options.keyOf
  }

  /** Returns the owner of the runs of a caller: a digest of the key, which the store must not have. */
  ownerOf(request: FastifyRequest): string {
    const key = this.#keyOf(request)
    return key === undefined ? anyCaller : hash('sha256', `headwaters bulk ${key}`).slice(0, 32)
  }

  /**
   * Returns the run that a path names.
   *
   * @throws Problem `NOT_FOUND` if the caller has no run with this id
   */
  async runOf(request: FastifyRequest): Promise<BulkRun> {
    const { id } = request.params as { readonly id: string }
    const run = await this.journal.find(this.ownerOf(request), id)
    if (run === undefined) throw new Problem('NOT_FOUND', { detail: 'The caller has no bulk run with this id.' })
    return run
  }

  /** Returns the results of a run as they are now. */
  async resultsOf(run: BulkRun): Promise<Results> {
    const known = this.#results.get(run.upload) ?? new Results(this.journal.store, run)
    this.#results.delete(run.upload)
    this.#results.set(run.upload, known)
    const [oldest] = this.#results.keys()
    if (this.#results.size > maxKnown) this.#results.delete(oldest as string)
    await known.refresh()
    return known
  }

  /** Forgets the results of a run that was removed. */
  forget({ upload }: BulkRun): void {
    this.#results.delete(upload)
  }
}
