import type { Catalogue } from '../../definitions/catalogue.ts'
import type { RunSource } from '../../kept/run-source.ts'
import { everyMs, LiveOverview } from '../../overview/live-overview.ts'
import { Ticks } from '../../overview/ticks.ts'
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
 */
export function primaryOverview(catalogue: Catalogue, overview: WorkersOverview, runs?: RunSource): LiveOverview {
  const watched = watchedOf(catalogue)
  let names = JSON.stringify(watched)
  const live = new LiveOverview({
    watched,
    recentRuns: runs && (async () => (await runs.list({ limit: recentRuns })).runs.toReversed()),
    onWatched: watch,
  })
  const ticks = new Ticks(() => {
    const rows = overview.takeRows()
    if (rows !== undefined) live.keptElsewhere(rows)
    live.tick(Date.now(), overview.take(), overview.states())
  }, offsetMs)

  function watch(isWatched: boolean): void {
    const every = isWatched ? everyMs.watched : everyMs.unwatched
    overview.watch({ every, rows: isWatched && runs !== undefined })
    ticks.every = every
  }

  overview.onBreakerChange = change => live.breakerChanged(change)
  // A worker that starts has loaded the definitions again.
  overview.onNames = text => {
    if (text === names) return
    const next = readWatched(parsed(text))
    if (next === undefined) return
    names = text
    live.define(next)
  }
  watch(false)
  return live
}
