import type { FastifyInstance } from 'fastify'
import { lastSample } from '../../overview/last-sample.ts'
import { everyMs, LiveOverview, type LiveOverviewOptions } from '../../overview/live-overview.ts'
import type { Watched } from '../../overview/overview.ts'
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

/**
 * The overview of a service of one process. It samples the process once a second, and twice a second while a dashboard
 * is open.
 */
export class OwnOverview {
  readonly live: LiveOverview
  readonly #ticks = new Ticks(() => this.#tick())
  #sampler: Sampler | undefined
  #upstreams: readonly string[]
  #stopRows: (() => void) | undefined

  constructor(catalogue: WatchedCatalogue, app: FastifyInstance, keptRuns?: ReadableRuns) {
    const watched = watchedOf(catalogue)
    this.#upstreams = namesOf(watched)
    this.live = new LiveOverview({
      watched,
      recentRuns: keptRuns?.recent,
      onWatched: isWatched => {
        this.#ticks.every = isWatched ? everyMs.watched : everyMs.unwatched
        this.#stopRows?.()
        this.#stopRows = isWatched ? keptRuns?.onKept(row => this.live.kept(row)) : undefined
      },
    })
    this.#sample(samplerOf(app))
    this.#ticks.every = everyMs.unwatched
  }

  /** Samples another app from now on, after a reload of the definitions. The counts of the app before stay. */
  swap(catalogue: WatchedCatalogue, app: FastifyInstance): void {
    if (this.#sampler !== undefined) this.live.tick(Date.now(), lastSample(this.#sampler.take(), this.#upstreams))
    this.#sample(samplerOf(app))
    const watched = watchedOf(catalogue)
    this.#upstreams = namesOf(watched)
    this.live.define(watched)
  }

  #sample(sampler: Sampler | undefined): void {
    // The runtime of the definitions before is still draining.
    if (this.#sampler !== undefined) this.#sampler.onBreakerChange = () => {}
    this.#sampler = sampler
    if (sampler === undefined) return
    sampler.onBreakerChange = (upstream, from, to) =>
      this.live.breakerChanged({ type: 'breaker', at: Date.now(), upstream, from, to })
  }

  #tick(): void {
    if (this.#sampler !== undefined) this.live.tick(Date.now(), this.#sampler.take())
  }
}

function namesOf({ upstreams }: Watched): string[] {
  return upstreams.map(({ name }) => name)
}

/** Returns the overview of a service of one process; `undefined` if it has no dashboard. */
export function ownOverview(
  catalogue: WatchedCatalogue,
  app: FastifyInstance,
  keptRuns?: ReadableRuns,
): OwnOverview | undefined {
  return samplerOf(app) === undefined ? undefined : new OwnOverview(catalogue, app, keptRuns)
}
