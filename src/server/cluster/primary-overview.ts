import type { Catalogue } from '../../definitions/catalogue.ts'
import type { RunSource } from '../../kept/run-source.ts'
import type { BulkSource } from '../../overview/bulk-watch.ts'
import { everyMs, LiveOverview } from '../../overview/live-overview.ts'
import type { Watched } from '../../overview/overview.ts'
import { Ticks } from '../../overview/ticks.ts'
import type { OverviewSource } from '../process/own-overview.ts'
import { watchedOf } from '../process/watched-names.ts'
import { parsed } from './message-values.ts'
import { readWatched } from './read-watched.ts'
import type { WorkersOverview } from './workers-overview.ts'

/** The time after which the primary joins the samples that the workers have sent at the same tick, in ms. */
const offsetMs = 100

/** The largest number of kept runs in the first event of a dashboard. */
const recentRuns = 100

/**
 * Returns the overview of a service of workers. Each worker sends a sample once a second. While a dashboard is open, it
 * sends two samples a second and the rows of its kept runs.
 *
 * @param runs The kept runs of all workers. @default runs are not kept
 * @param bulk The bulk runs, which the workers share. @default the service has no bulk runs
 */
export function primaryOverview(
  catalogue: Catalogue,
  overview: WorkersOverview,
  runs?: RunSource,
  bulk?: BulkSource,
): LiveOverview {
  const watched = watchedOf(catalogue)
  const live: LiveOverview = new LiveOverview({
    watched,
    recentRuns: runs && (() => source.recent?.() ?? []),
    bulk,
    onWatched: isWatched => source.watch(isWatched),
  })
  const source = workersSource(live, overview, { watched, runs })
  source.watch(false)
  return live
}

export interface WorkersSourceOptions {
  /** The upstreams and aggregates that the overview shows. */
  readonly watched: Watched
  /** The kept runs of all workers; `undefined` if runs are not kept. */
  readonly runs: RunSource | undefined
}

/** Fills an overview with the samples of workers. */
export function workersSource(
  live: LiveOverview,
  overview: WorkersOverview,
  { watched, runs }: WorkersSourceOptions,
): OverviewSource {
  let names = JSON.stringify(watched)
  const ticks = new Ticks(() => {
    const rows = overview.takeRows()
    if (rows !== undefined) live.keptElsewhere(rows)
    live.tick(Date.now(), overview.take(), overview.states())
  }, offsetMs)

  overview.onBreakerChange = change => live.breakerChanged(change)
  // A worker that starts has loaded the definitions again.
  overview.onNames = text => {
    if (text === names) return
    const next = readWatched(parsed(text))
    if (next === undefined) return
    names = text
    live.define(next)
  }
  return {
    recent: runs && (async () => (await runs.list({ limit: recentRuns })).runs.toReversed()),
    watch(isWatched) {
      const every = isWatched ? everyMs.watched : everyMs.unwatched
      overview.watch({ every, rows: isWatched && runs !== undefined })
      ticks.every = every
    },
  }
}
