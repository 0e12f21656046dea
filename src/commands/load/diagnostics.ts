import { formatMs } from './format.ts'
import type { LoadMetrics } from './metrics.ts'
import type { LoadOptions } from './options.ts'

/** A note is added when more than this ratio of a latency is delay of the sender. */
const maxSenderRatio = 0.2
/** A note is added when the event loop of the sender was busier than this. */
const maxBusy = 0.9

/** Returns remarks on the validity of the figures. */
export function notesOf(metrics: LoadMetrics, { rate, connections }: LoadOptions, busy: number): string[] {
  const { sent, neverSent, lowerBounds, latencyFromDue, senderLag } = metrics
  const notes: string[] = []
  if (rate === undefined)
    notes.push(
      'a closed loop cannot be corrected: while the service stalls it sends nothing, so the requests of ' +
        'other callers during a stall are not in these figures; --rate N keeps a rate',
    )
  if (neverSent > 0)
    notes.push(
      `the rate was not held: ${neverSent} of ${sent + neverSent} due requests were never ` +
        `sent, since all ${connections} connections were taken`,
    )
  if (lowerBounds > 0)
    notes.push(
      `${lowerBounds} requests without an answer are in the table with the time after ` +
        'which they were given up: a lower bound of their latency',
    )
  for (const percentile of [50, 99]) {
    const [lag, latency] = [senderLag.percentileMs(percentile), latencyFromDue.percentileMs(percentile)]
    if (lag > maxSenderRatio * latency)
      notes.push(
        `at p${percentile} the sender itself was ${formatMs(lag)} ms late, and the latency from due is ` +
          `${formatMs(latency)}: this part of it is not latency of the service`,
      )
  }
  if (busy > maxBusy)
    notes.push(
      `the sender was busy ${(busy * 100).toFixed(0)} % of the time: the figures describe it as much as the service`,
    )
  return notes
}

/** Returns the bounds that were not met: those of the options, and that something was answered. */
export function violationsOf(metrics: LoadMetrics, { maxP99Ms, maxErrorPercent }: LoadOptions): string[] {
  const { sent, answered, neverSent, replies, latencyFromDue } = metrics
  const due = sent + neverSent
  const succeeded = replies.whole.count + replies.partial.count + replies.other.count
  const errorPercent = due === 0 ? 0 : ((due - succeeded) / due) * 100
  const p99Ms = latencyFromDue.percentileMs(99)

  const violations: string[] = []
  if (answered === 0) violations.push('nothing was answered')
  if (maxP99Ms !== undefined && p99Ms > maxP99Ms)
    violations.push(`the p99 is ${p99Ms.toFixed(1)} ms, not at most ${maxP99Ms}`)
  if (maxErrorPercent !== undefined && errorPercent > maxErrorPercent)
    violations.push(
      `${errorPercent.toFixed(2)} % of the requests were refused, failed, not ` +
        `answered or never sent, not at most ${maxErrorPercent}`,
    )
  return violations
}
