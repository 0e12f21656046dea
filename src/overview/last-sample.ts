import { upstreamCountNames, upstreamGaugeNames, type ProcessSample } from './process-sample.ts'

/**
 * Returns the last sample of a runtime: its counts stay, and its present values are gone. The runtime after it has no
 * present values of an upstream before it calls it, so that those of the runtime before would stay.
 *
 * @param names - The upstreams that have a row.
 */
export function lastSample({ upstreams, aggregates }: ProcessSample, names: readonly string[]): ProcessSample {
  const rows = new Map(upstreams.map(row => [row.name, row]))
  return {
    upstreams: names.map(name => ({
      name,
      counts: upstreamCountNames.map(() => 0),
      latency: [],
      failures: [],
      ...rows.get(name),
      gauges: upstreamGaugeNames.map(() => 0),
    })),
    aggregates,
  }
}
