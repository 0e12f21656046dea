import type {
  BreakerChange,
  BulkRuns,
  Hello,
  RefusedReload,
  Runs,
  Sample,
  UpstreamHistory,
  WorkerSample,
} from '../dashboard/protocol.ts'
import type { RunRow } from '../waterfall/kept-run.ts'
import { BulkWatch, type BulkSource } from './bulk-watch.ts'
import { Overview, type OverviewHello, type Watched } from './overview.ts'
import type { ProcessSample } from './process-sample.ts'
import { RunRows } from './run-rows.ts'

/** The largest number of kept runs in `hello`. */
const maxRecentRuns = 100

/** The time between two samples, in ms: with an open dashboard, and without one. */
export const everyMs = { watched: 500, unwatched: 1000 } as const

/**
 * An event for open dashboards. `reloaded` means that the names have changed or that the points begin again, and that
 * `hello` has the new ones.
 */
export type LiveEvent = Sample | Runs | BulkRuns | BreakerChange | { readonly type: 'reloaded' }

export interface LiveOverviewOptions {
  readonly watched: Watched
  /**
   * Returns the last kept runs, oldest first, at most 100. @default runs are not kept
   */
  readonly recentRuns?: (() => readonly RunRow[] | Promise<readonly RunRow[]>) | undefined
  /** The bulk runs. @default the service has no bulk runs */
  readonly bulk?: BulkSource | undefined
  /**
   * Called when the first dashboard opens and when the last one closes. Samples, and kept runs, are due every
   * `everyMs.watched` ms in between.
   */
  readonly onWatched: (isWatched: boolean) => void
}

/**
 * The overview of a running service with its open dashboards. The service adds samples, kept runs and breaker changes;
 * listeners get the events. Without a listener, no event is made and kept runs are not collected.
 */
export class LiveOverview {
  /** Returns the last reload of the definitions, if it was refused. @default not shown */
  refusedReload: () => RefusedReload | undefined = () => undefined
  readonly #overview: Overview
  readonly #options: LiveOverviewOptions
  readonly #listeners = new Set<(event: LiveEvent) => void>()
  readonly #rows = new RunRows()
  readonly #bulk: BulkWatch | undefined
  /** For each `hello` that is being made, the rows of the events since its start. */
  readonly #rowsSince = new Set<RunRow[]>()
  /** The moment of the last reload, in ms since 1970. Runs before it have used other definitions. */
  #definedAt = 0

  constructor(options: LiveOverviewOptions) {
    this.#options = options
    this.#overview = new Overview(options.watched, Date.now())
    this.#bulk = options.bulk && new BulkWatch(options.bulk, event => this.#emit(event))
    this.#offerBulk(options.watched)
  }

  /** True while a dashboard is open. */
  get isWatched(): boolean {
    return this.#listeners.size > 0
  }

  /** True if the service keeps runs. */
  get keepsRuns(): boolean {
    return this.#options.recentRuns !== undefined
  }

  /** Calls a function with each event, until the returned function is called. */
  listen(listener: (event: LiveEvent) => void): () => void {
    this.#listeners.add(listener)
    if (this.#listeners.size === 1) this.#onWatched(true)
    return () => {
      if (!this.#listeners.delete(listener) || this.isWatched) return
      this.#onWatched(false)
      this.#rows.take()
    }
  }

  /**
   * Adds a sample.
   *
   * @param at - The moment, in ms since 1970.
   * @param workers - The worker processes. @default none
   */
  tick(at: number, sample: ProcessSample, workers?: readonly WorkerSample[]): void {
    const result = this.#overview.apply(at, sample, workers)
    if (result === 'begun again') {
      this.#definedAt = Math.min(this.#definedAt, at)
      this.#emit({ type: 'reloaded' })
    }
    if (!this.isWatched) return
    this.#emit(this.#withReload(this.#overview.sample()))
    const runs = this.#rows.take()
    if (runs === undefined) return
    for (const since of this.#rowsSince) since.push(...runs.rows)
    this.#emit(runs)
  }

  /** Adds a kept run of this process. */
  kept(row: RunRow): void {
    this.#learn(row)
    if (this.isWatched) this.#rows.add(row)
  }

  /** Adds kept runs of another process. */
  keptElsewhere(runs: Pick<Runs, 'rows' | 'more'>): void {
    for (const row of runs.rows) this.#learn(row)
    if (this.isWatched) this.#rows.addAll(runs)
  }

  /** Adds a change of a circuit breaker, which is sent at once. */
  breakerChanged(change: BreakerChange): void {
    this.#overview.breakerChanged(change)
    this.#emit(change)
  }

  /** Sets the upstreams and aggregates after a reload of the definitions. */
  define(watched: Watched): void {
    this.#overview.define(watched)
    this.#definedAt = Date.now()
    this.#offerBulk(watched)
    this.#emit({ type: 'reloaded' })
  }

  /** Returns the state of all names and their points, with the last kept runs. */
  async hello(): Promise<OverviewHello & Pick<Hello, 'runs' | 'bulk'>> {
    const runs = await this.#recentRuns()
    for (const row of runs) this.#learn(row)
    const hello = this.#overview.hello()
    return { ...hello, now: this.#withReload(hello.now), runs, bulk: this.#bulk?.last ?? null }
  }

  /**
   * Returns the last kept runs. An event that is sent while another process is asked for them is not sent again to a
   * reader that waits for `hello`, so that its runs are added.
   */
  async #recentRuns(): Promise<readonly RunRow[]> {
    const since: RunRow[] = []
    this.#rowsSince.add(since)
    try {
      const recent = (await this.#options.recentRuns?.()) ?? []
      const known = new Set(recent.map(({ id }) => id))
      return [...recent, ...since.filter(({ id }) => !known.has(id))].slice(-maxRecentRuns)
    } finally {
      this.#rowsSince.delete(since)
    }
  }

  /** Returns all series of an upstream; `undefined` for an unknown name. */
  historyOf(upstream: string): UpstreamHistory | undefined {
    return this.#overview.historyOf(upstream)
  }

  /** Kept runs show which upstreams an aggregate uses: its steps are functions, which only a run calls. */
  #learn({ aggregate, upstreams, at }: RunRow): void {
    if (Date.parse(at) < this.#definedAt) return
    for (const upstream of upstreams) this.#overview.used(aggregate, upstream)
  }

  #onWatched(isWatched: boolean): void {
    this.#options.onWatched(isWatched)
    this.#bulk?.watch(isWatched)
  }

  #offerBulk({ aggregates }: Watched): void {
    this.#bulk?.offer(aggregates.filter(({ isBulk }) => isBulk).map(({ name }) => name))
  }

  #withReload(sample: Sample): Sample {
    const refused = this.refusedReload()
    return refused === undefined ? sample : { ...sample, refused }
  }

  #emit(event: LiveEvent): void {
    for (const listener of this.#listeners) listener(event)
  }
}
