import { isLowerBound } from './failure.ts'
import { latencyHistogram, type Latencies } from './latency-histogram.ts'
import { replies, type Reply } from './reply.ts'
import type { Listener } from './sending.ts'

/** What became of the requests that were due after the warm-up. */
export interface Tally {
  sent: number
  answered: number
  /** Answers that came while requests were due, those of the warm-up included: what the service does in that time. */
  answeredMeanwhile: number
  /** Requests that found no free connection when they were due. */
  waited: number
  neverSent: number
  /** Requests in the table whose latency is known only to be more. */
  lowerBounds: number
  bytes: number
  readonly statuses: Map<number, number>
  readonly failures: Map<string, number>
  readonly fromDue: Latencies
  readonly fromSent: Latencies
  readonly replies: Readonly<Record<Reply, Latencies>>
  /** How late the sender itself was. */
  readonly lag: Latencies
}

/** One second as it went, the warm-up included; latencies from due. */
export interface Second {
  readonly sent: number
  readonly answered: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

/**
 * Counts what a sending tells. What was due before `countFrom` is seen by the second only; nothing is due from `until`
 * on.
 */
export function createTally(countFrom: number, until: number) {
  const tally: Tally = {
    sent: 0,
    answered: 0,
    answeredMeanwhile: 0,
    waited: 0,
    neverSent: 0,
    lowerBounds: 0,
    bytes: 0,
    statuses: new Map(),
    failures: new Map(),
    fromDue: latencyHistogram(),
    fromSent: latencyHistogram(),
    lag: latencyHistogram(),
    replies: Object.fromEntries(replies.map(reply => [reply, latencyHistogram()])) as Record<Reply, Latencies>,
  }
  const lately = { sent: 0, answered: 0, fromDue: latencyHistogram() }

  const listener: Listener = {
    sent({ dueAt, sentAt, freeAt }) {
      lately.sent++
      if (dueAt < countFrom) return
      tally.sent++
      tally.lag.add(sentAt - freeAt)
      if (freeAt > dueAt) tally.waited++
    },
    ended({ dueAt, sentAt }, at, how) {
      const isAnswered = !('failure' in how)
      if (isAnswered) {
        lately.answered++
        lately.fromDue.add(at - dueAt)
        if (at >= countFrom && at < until) tally.answeredMeanwhile++
      }
      if (dueAt < countFrom) return
      if (isAnswered) {
        tally.answered++
        tally.bytes += how.bytes
        count(tally.statuses, how.status)
        tally.replies[how.reply].add(at - dueAt)
      } else {
        count(tally.failures, how.failure)
        // How long it takes to fail says nothing of answers.
        if (!isLowerBound(how.failure)) return
        tally.lowerBounds++
      }
      tally.fromDue.add(at - dueAt)
      tally.fromSent.add(at - sentAt)
    },
    neverSent(dueAt, at) {
      if (dueAt < countFrom) return
      tally.neverSent++
      tally.lowerBounds++
      tally.fromDue.add(at - dueAt)
    },
  }

  return {
    tally,
    listener,
    /** What there was since this was asked last. */
    takeSecond: (): Second => {
      const { sent, answered, fromDue } = lately
      const second = { sent, answered, p50Ms: fromDue.atMs(50), p99Ms: fromDue.atMs(99), maxMs: fromDue.atMs(100) }
      lately.sent = lately.answered = 0
      fromDue.clear()
      return second
    },
  }
}

function count<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
