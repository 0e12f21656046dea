import { createHistogram } from 'node:perf_hooks'
import type { RequestObserver } from './generator.ts'
import { isLowerBound, replyClasses, type ReplyClass } from './outcome.ts'

/** Counts and latencies of the requests that were due after the warm-up. */
export interface LoadMetrics {
  sent: number
  answered: number
  /** Replies for the throughput: they arrived while requests were due. Includes replies to warm-up requests. */
  answeredWhileSending: number
  /** Requests that found no free connection when they were due. */
  waited: number
  neverSent: number
  /** Requests whose latency in the histograms is a lower bound: they were aborted or never sent. */
  lowerBounds: number
  bytes: number
  readonly statuses: Map<number, number>
  readonly errors: Map<string, number>
  readonly latencyFromDue: LatencyHistogram
  readonly latencyFromSent: LatencyHistogram
  readonly replies: Readonly<Record<ReplyClass, LatencyHistogram>>
  /** Time from `sendableAt` to `sentAt` of each request. */
  readonly senderLag: LatencyHistogram
}

/** Counts and latencies of one second, including the warm-up. A latency starts when its request is due. */
export interface IntervalMetrics {
  readonly sent: number
  readonly answered: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

/**
 * Creates metrics and the observer that fills them. Requests that were due before `countFrom` count in the interval
 * only. No request is due at or after `until`.
 */
export function createMetrics(countFrom: number, until: number) {
  const metrics: LoadMetrics = {
    sent: 0,
    answered: 0,
    answeredWhileSending: 0,
    waited: 0,
    neverSent: 0,
    lowerBounds: 0,
    bytes: 0,
    statuses: new Map(),
    errors: new Map(),
    latencyFromDue: createLatencyHistogram(),
    latencyFromSent: createLatencyHistogram(),
    senderLag: createLatencyHistogram(),
    replies: Object.fromEntries(replyClasses.map(reply => [reply, createLatencyHistogram()])) as Record<
      ReplyClass,
      LatencyHistogram
    >,
  }
  const interval = { sent: 0, answered: 0, latencyFromDue: createLatencyHistogram() }

  const observer: RequestObserver = {
    onSent({ dueAt, sentAt, sendableAt }) {
      interval.sent++
      if (dueAt < countFrom) return
      metrics.sent++
      metrics.senderLag.record(sentAt - sendableAt)
      if (sendableAt > dueAt) metrics.waited++
    },
    onEnded({ dueAt, sentAt }, at, outcome) {
      const isAnswered = !('error' in outcome)
      if (isAnswered) {
        interval.answered++
        interval.latencyFromDue.record(at - dueAt)
        if (at >= countFrom && at < until) metrics.answeredWhileSending++
      }
      if (dueAt < countFrom) return
      if (isAnswered) {
        metrics.answered++
        metrics.bytes += outcome.bytes
        increment(metrics.statuses, outcome.status)
        metrics.replies[outcome.reply].record(at - dueAt)
      } else {
        increment(metrics.errors, outcome.error)
        // The time to an error such as a lost connection is not a latency.
        if (!isLowerBound(outcome.error)) return
        metrics.lowerBounds++
      }
      metrics.latencyFromDue.record(at - dueAt)
      metrics.latencyFromSent.record(at - sentAt)
    },
    onNeverSent(dueAt, at) {
      if (dueAt < countFrom) return
      metrics.neverSent++
      metrics.lowerBounds++
      metrics.latencyFromDue.record(at - dueAt)
    },
  }

  return {
    metrics,
    observer,
    /** Returns the metrics since the previous `takeInterval` and starts a new interval. */
    takeInterval: (): IntervalMetrics => {
      const { sent, answered, latencyFromDue } = interval
      const [p50Ms, p99Ms, maxMs] = [50, 99, 100].map(latencyFromDue.percentileMs) as [number, number, number]
      interval.sent = interval.answered = 0
      latencyFromDue.reset()
      return { sent, answered, p50Ms, p99Ms, maxMs }
    },
  }
}

function increment<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

/** An HDR histogram of latencies from 1 µs to 1 hour. Its error is 0.1 %. It uses 120 kB for any number of values. */
export interface LatencyHistogram {
  readonly count: number
  readonly record: (ms: number) => void
  /** Returns the latency in ms at a percentile above 0 and at most 100. Returns NaN if the histogram is empty. */
  readonly percentileMs: (percentile: number) => number
  readonly reset: () => void
}

/** One hour in µs. A longer latency is recorded as one hour. */
const highestMicros = 3_600_000_000

export function createLatencyHistogram(): LatencyHistogram {
  const histogram = createHistogram({ lowest: 1, highest: highestMicros, figures: 3 })
  return {
    get count() {
      return histogram.count
    },
    record: ms => histogram.record(Math.min(highestMicros, Math.max(1, Math.round(ms * 1000)))),
    percentileMs: percentile => (histogram.count === 0 ? NaN : histogram.percentile(percentile) / 1000),
    reset: () => histogram.reset(),
  }
}
