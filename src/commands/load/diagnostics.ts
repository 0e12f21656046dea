import { formatMs } from './format.ts'
import type { LoadMetrics } from './metrics.ts'
import type { LoadOptions } from './options.ts'

/** A note is added if the delay of the sender is more than this ratio of the latency. */
const maxSenderRatio = 0.2
/** A note is added if the utilization of the sender's event loop is above this ratio. */
const maxBusy = 0.9

/** Returns remarks on the validity of the figures. */
export function notesOf(metrics: LoadMetrics, { rate, connections }: LoadOptions, busy: number): string[] {
  const { sent, neverSent, lowerBounds, latencyFromDue, senderLag } = metrics
  const notes: string[] = []
  if (rate === undefined)
    notes.push(
      'a closed loop sends nothing while the service stalls, so the latency during a stall is not in these figures ' +
        '(coordinated omission); use --rate N for an open loop',
    )
  if (neverSent > 0)
    notes.push(
      `the rate was not reached: ${neverSent} of ${sent + neverSent} due requests were never ` +
        `sent because all ${connections} connections were busy`,
    )
  if (lowerBounds > 0)
    notes.push(
      `${lowerBounds} requests got no answer; the table has the time after which each was aborted, ` +
        'a lower bound of its latency',
    )
  for (const percentile of [50, 99]) {
    const [lag, latency] = [senderLag.percentileMs(percentile), latencyFromDue.percentileMs(percentile)]
    if (lag > maxSenderRatio * latency)
      notes.push(
        `at p${percentile} the sender was ${formatMs(lag)} ms late, out of ${formatMs(latency)} ms from due: ` +
          'this part is not latency of the service',
      )
  }
  if (busy > maxBusy)
    notes.push(`the sender was busy ${(busy * 100).toFixed(0)} % of the time, so the figures also depend on the sender`)
  return notes
}

/** Returns the violated bounds of the options, and a violation if no request was answered. */
export function violationsOf(metrics: LoadMetrics, { maxP99Ms, maxErrorPercent }: LoadOptions): string[] {
  const { sent, answered, neverSent, replies, latencyFromDue } = metrics
  const due = sent + neverSent
  const succeeded = replies.whole.count + replies.partial.count + replies.other.count
  const errorPercent = due === 0 ? 0 : ((due - succeeded) / due) * 100
  const p99Ms = latencyFromDue.percentileMs(99)

  const violations: string[] = []
  if (answered === 0) violations.push('no request was answered')
  if (maxP99Ms !== undefined && p99Ms > maxP99Ms)
    violations.push(`p99 is ${p99Ms.toFixed(1)} ms, above --max-p99 ${maxP99Ms}ms`)
  if (maxErrorPercent !== undefined && errorPercent > maxErrorPercent)
    violations.push(
      `${errorPercent.toFixed(2)} % of the requests were refused, failed, not ` +
        `answered or never sent, above --max-errors ${maxErrorPercent}`,
    )
  return violations
}
