import { notesOf, violationsOf } from './diagnostics.ts'
import type { LatencyHistogram, LoadMetrics } from './metrics.ts'
import type { LoadOptions } from './options.ts'
import { replyClasses, type ReplyClass } from './outcome.ts'

/** One row of the table of percentiles: `count` requests (`percentile` percent) took at most `ms`. */
export interface PercentileRow {
  readonly percentile: number
  readonly ms: number
  readonly count: number
}

/** The result of a load test, which `--json` prints. Times are in ms. */
export interface LoadResult {
  readonly url: string
  readonly method: string
  readonly loop: 'open' | 'closed'
  readonly rate: number | null
  readonly connections: number
  readonly warmUpMs: number
  /** Time after the warm-up during which requests were due. */
  readonly durationMs: number
  readonly isInterrupted: boolean
  readonly due: number
  readonly sent: number
  readonly answered: number
  readonly waited: number
  readonly neverSent: number
  readonly bytes: number
  /** Rate of the replies that arrived while requests were due. */
  readonly answeredPerSecond: number
  /** Latencies from due, which are corrected for coordinated omission. The value is null for a closed loop. */
  readonly corrected: readonly PercentileRow[] | null
  /** Latencies from the moment at which a request was sent. */
  readonly uncorrected: readonly PercentileRow[]
  /** Latencies from due by class of reply. */
  readonly replies: Readonly<
    Record<
      ReplyClass,
      {
        readonly count: number
        readonly p50Ms: number | null
        readonly p99Ms: number | null
        readonly maxMs: number | null
      }
    >
  >
  readonly statuses: Readonly<Record<string, number>>
  readonly errors: Readonly<Record<string, number>>
  /** The delay that the sender adds, and the utilization of its event loop. */
  readonly sender: {
    readonly p50Ms: number | null
    readonly p99Ms: number | null
    readonly maxMs: number | null
    readonly busy: number
  }
  /** Remarks on the validity of the figures. */
  readonly notes: readonly string[]
  /** Violated bounds. The exit code is 1 if the list is not empty. */
  readonly violations: readonly string[]
}

/** Measurements of the whole load test. */
export interface RunTotals {
  /** Time after the warm-up during which requests were due. */
  readonly durationMs: number
  /** Utilization of the event loop of this process, 0 to 1. */
  readonly busy: number
  readonly isInterrupted: boolean
}

const percentiles = [50, 75, 90, 95, 99, 99.9, 99.99, 100]

/** Creates the result of a load test from its metrics. */
export function createResult(metrics: LoadMetrics, options: LoadOptions, totals: RunTotals): LoadResult {
  const { request, rate, connections, warmUpMs } = options
  const { durationMs, busy, isInterrupted } = totals
  const { sent, answered, waited, neverSent, bytes, latencyFromDue, latencyFromSent, senderLag } = metrics
  return {
    url: request.url.href,
    method: request.method,
    loop: rate === undefined ? 'closed' : 'open',
    rate: rate ?? null,
    connections,
    warmUpMs,
    durationMs: Math.round(durationMs),
    isInterrupted,
    due: sent + neverSent,
    sent,
    answered,
    waited,
    neverSent,
    bytes,
    answeredPerSecond: durationMs > 0 ? (metrics.answeredWhileSending / durationMs) * 1000 : 0,
    corrected: rate === undefined ? null : rowsOf(latencyFromDue),
    uncorrected: rowsOf(latencyFromSent),
    replies: Object.fromEntries(
      replyClasses.map(reply => [reply, { count: metrics.replies[reply].count, ...spanOf(metrics.replies[reply]) }]),
    ) as LoadResult['replies'],
    statuses: sorted(metrics.statuses),
    errors: sorted(metrics.errors),
    sender: { ...spanOf(senderLag), busy },
    notes: notesOf(metrics, options, busy),
    violations: violationsOf(metrics, options),
  }
}

function rowsOf(latencies: LatencyHistogram): PercentileRow[] {
  if (latencies.count === 0) return []
  return percentiles.map(percentile => ({
    percentile,
    ms: latencies.percentileMs(percentile),
    count: Math.ceil((latencies.count * percentile) / 100),
  }))
}

function spanOf(latencies: LatencyHistogram) {
  const at = (percentile: number) => (latencies.count === 0 ? null : latencies.percentileMs(percentile))
  return { p50Ms: at(50), p99Ms: at(99), maxMs: at(100) }
}

function sorted(counts: ReadonlyMap<number | string, number>): Record<string, number> {
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)))
}
