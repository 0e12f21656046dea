import type { FastifyInstance } from 'fastify'
import type { BulkSource } from '../../overview/bulk-watch.ts'
import { everyMs, LiveOverview, type LiveOverviewOptions } from '../../overview/live-overview.ts'
import type { Sampler } from '../../overview/sampler.ts'
import { Ticks } from '../../overview/ticks.ts'
import type { RunRow } from '../../waterfall/kept-run.ts'
import { samplerOf } from './samplers.ts'
import { watchedOf, type WatchedCatalogue } from './watched-names.ts'

/** The kept runs of this process, as the dashboard reads them. */
export interface ReadableRuns {
  /** Returns the last kept runs, oldest first, at most 100. */
  readonly recent: NonNullable<LiveOverviewOptions['recentRuns']>
  /** Calls a function with each run that is kept, until the returned function is called. */
  onKept(listener: (row: RunRow) => void): () => void
}

/** The source of the samples of an overview. */
export interface OverviewSource {
  /** The last kept runs; `undefined` if runs are not kept. */
  readonly recent: LiveOverviewOptions['recentRuns']
  /** Called when the first dashboard opens and when the last one closes. */
  watch(isWatched: boolean): void
}

/**
 * The overview of a service of one process. It samples the process once a second, and twice a second while a dashboard
 * is open.
 */
export class OwnOverview {
  readonly live: LiveOverview
  readonly #ticks = new Ticks(() => this.#tick())
  readonly #sampler: Sampler
  readonly #keptRuns: ReadableRuns | undefined
  #stopRows: (() => void) | undefined
  #source: OverviewSource

  constructor(catalogue: WatchedCatalogue, sampler: Sampler, keptRuns?: ReadableRuns, bulk?: BulkSource) {
    this.#sampler = sampler
    this.#keptRuns = keptRuns
    this.#source = { recent: keptRuns?.recent, watch: isWatched => this.#watch(isWatched) }
    this.live = new LiveOverview({
      watched: watchedOf(catalogue),
      recentRuns: keptRuns && (() => this.#source.recent?.() ?? []),
      bulk,
      onWatched: isWatched => this.#source.watch(isWatched),
    })
    sampler.onBreakerChange = (upstream, from, to) =>
      this.live.breakerChanged({ type: 'breaker', at: Date.now(), upstream, from, to })
    this.#ticks.every = everyMs.unwatched
  }

  /**
   * Shows the definitions of the app that follows after a reload. The sampler counts for both apps, so what was counted
   * until now belongs to the definitions before.
   */
  define(catalogue: WatchedCatalogue): void {
    this.#tick()
    this.live.define(watchedOf(catalogue))
  }

  /** Ends the samples of this process. Another source fills the overview from now on. */
  handOver(source: OverviewSource): void {
    this.#tick()
    this.#ticks.every = undefined
    this.#stopRows?.()
    this.#source = source
    source.watch(this.live.isWatched)
  }

  #watch(isWatched: boolean): void {
    this.#ticks.every = isWatched ? everyMs.watched : everyMs.unwatched
    this.#stopRows?.()
    this.#stopRows = isWatched ? this.#keptRuns?.onKept(row => this.live.kept(row)) : undefined
  }

  #tick(): void {
    this.live.tick(Date.now(), this.#sampler.take())
  }
}

/** Returns the overview of a service of one process; `undefined` if it has no dashboard. */
export function ownOverview(
  catalogue: WatchedCatalogue,
  app: FastifyInstance,
  keptRuns?: ReadableRuns,
  bulk?: BulkSource,
): OwnOverview | undefined {
  const sampler = samplerOf(app)
  return sampler && new OwnOverview(catalogue, sampler, keptRuns, bulk)
}
