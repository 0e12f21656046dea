import { LatencyCounts } from './latency-counts.ts'

type BreakerState = 'closed' | 'open' | 'half-open'

/** The counts of one upstream that no metric has. */
export class UpstreamLiveCounts {
  /** The durations of the attempts. */
  readonly latency = new LatencyCounts()
  /** The retries and hedges that were not sent. */
  refusedResends = 0
}

/**
 * The counts of a runtime that only the dashboard needs. A runtime without a dashboard does not have them, so that
 * counting costs nothing.
 */
export class LiveCounts {
  readonly upstreams = new Map<string, UpstreamLiveCounts>()
  /** The durations of the runs of each aggregate. */
  readonly aggregates = new Map<string, LatencyCounts>()
  /** Called on each transition of a circuit breaker, after it. */
  onBreakerChange: (upstream: string, from: BreakerState, to: BreakerState) => void = () => {}

  /** Returns the counts of an upstream. */
  upstream(name: string): UpstreamLiveCounts {
    let counts = this.upstreams.get(name)
    if (counts === undefined) this.upstreams.set(name, (counts = new UpstreamLiveCounts()))
    return counts
  }

  /** Returns the durations of the runs of an aggregate. */
  aggregate(name: string): LatencyCounts {
    let counts = this.aggregates.get(name)
    if (counts === undefined) this.aggregates.set(name, (counts = new LatencyCounts()))
    return counts
  }
}
