import { msText } from './figures.ts'
import { replies, type Reply } from './reply.ts'
import type { Latencies } from './latency-histogram.ts'
import type { Options } from './options.ts'
import type { Tally } from './tally.ts'

/** One row of the table: what this percentage took at most, and how many that is. */
export interface Percentile {
  readonly percentile: number
  readonly ms: number
  readonly count: number
}

/** What a run has shown; times in ms. */
export interface Result {
  readonly url: string
  readonly method: string
  readonly loop: 'open' | 'closed'
  readonly rate: number | null
  readonly connections: number
  readonly warmUpMs: number
  /** For how long requests were due after the warm-up. */
  readonly durationMs: number
  readonly isInterrupted: boolean
  readonly due: number
  readonly sent: number
  readonly answered: number
  readonly waited: number
  readonly neverSent: number
  readonly bytes: number
  /** While requests were due. */
  readonly answeredPerSecond: number
  /** From due: corrected for coordinated omission; a closed loop has none. */
  readonly corrected: readonly Percentile[] | null
  /** From sent. */
  readonly uncorrected: readonly Percentile[]
  /** By what the answers were worth; from due. */
  readonly replies: Readonly<
    Record<
      Reply,
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
  /** How late the sender itself was, and the share of its time in which it was busy. */
  readonly sender: {
    readonly p50Ms: number | null
    readonly p99Ms: number | null
    readonly maxMs: number | null
    readonly busy: number
  }
  /** What whoever reads the figures must know. */
  readonly notes: readonly string[]
  readonly violations: readonly string[]
}

export interface Circumstances {
  /** For how long requests were due after the warm-up. */
  readonly durationMs: number
  /** Share of the run in which this process was at work. */
  readonly busy: number
  readonly isInterrupted: boolean
}

export const percentiles = [50, 75, 90, 95, 99, 99.9, 99.99, 100]
/** Of a latency, what may be the sender's own before it is said. */
const ownShare = 0.2
/** A sender that is busier than this is seen in its figures. */
const busyShare = 0.9

/** Puts together what a tally has counted. */
export function resultOf(
  tally: Tally,
  { question, rate, connections, warmUpMs, maxP99Ms, maxErrorPercent }: Options,
  { durationMs, busy, isInterrupted }: Circumstances,
): Result {
  const { sent, answered, waited, neverSent, bytes, fromDue, fromSent, lag } = tally
  const due = sent + neverSent
  const p99Ms = fromDue.atMs(99)
  const well = tally.replies.whole.count + tally.replies.partial.count + tally.replies.other.count
  const errorPercent = due === 0 ? 0 : ((due - well) / due) * 100

  const notes = [
    ...(rate === undefined
      ? [
          'a closed loop cannot be corrected: while the service stalls nobody asks, so what other callers would have met is not in these figures; --rate N keeps a rate',
        ]
      : []),
    ...(neverSent > 0
      ? [
          `the rate was not held: ${neverSent} of ${due} due requests were never sent, since all ${connections} connections were taken`,
        ]
      : []),
    ...(tally.lowerBounds > 0
      ? [
          `${tally.lowerBounds} requests without an answer are in the table with the time they had had when they were given up: it would have been more`,
        ]
      : []),
    ...[50, 99].flatMap(percentile =>
      lag.atMs(percentile) > ownShare * fromDue.atMs(percentile)
        ? [
            `at p${percentile} the sender itself was ${msText(lag.atMs(percentile))} ms late, and the latency from due is ${msText(fromDue.atMs(percentile))}: so much of it is not the service's`,
          ]
        : [],
    ),
    ...(busy > busyShare
      ? [`the sender was busy ${(busy * 100).toFixed(0)} % of the time: the figures describe it as much as the service`]
      : []),
  ]
  const violations = [
    ...(answered === 0 ? ['nothing was answered'] : []),
    ...(maxP99Ms !== undefined && p99Ms > maxP99Ms
      ? [`the p99 is ${p99Ms.toFixed(1)} ms, not at most ${maxP99Ms}`]
      : []),
    ...(maxErrorPercent !== undefined && errorPercent > maxErrorPercent
      ? [
          `${errorPercent.toFixed(2)} % of the requests were refused, failed, not answered or never sent, not at most ${maxErrorPercent}`,
        ]
      : []),
  ]
  return {
    url: question.url.href,
    method: question.method,
    loop: rate === undefined ? 'closed' : 'open',
    rate: rate ?? null,
    connections,
    warmUpMs,
    durationMs: Math.round(durationMs),
    isInterrupted,
    due,
    sent,
    answered,
    waited,
    neverSent,
    bytes,
    answeredPerSecond: durationMs > 0 ? (tally.answeredMeanwhile / durationMs) * 1000 : 0,
    corrected: rate === undefined ? null : rowsOf(fromDue),
    uncorrected: rowsOf(fromSent),
    replies: Object.fromEntries(
      replies.map(reply => [reply, { count: tally.replies[reply].count, ...spanOf(tally.replies[reply]) }]),
    ) as Result['replies'],
    statuses: sorted(tally.statuses),
    errors: sorted(tally.failures),
    sender: { ...spanOf(lag), busy },
    notes,
    violations,
  }
}

function rowsOf(latencies: Latencies): Percentile[] {
  if (latencies.count === 0) return []
  return percentiles.map(percentile => ({
    percentile,
    ms: latencies.atMs(percentile),
    count: Math.ceil((latencies.count * percentile) / 100),
  }))
}

function spanOf(latencies: Latencies) {
  const at = (percentile: number) => (latencies.count === 0 ? null : latencies.atMs(percentile))
  return { p50Ms: at(50), p99Ms: at(99), maxMs: at(100) }
}

function sorted(counts: ReadonlyMap<number | string, number>): Record<string, number> {
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)))
}
