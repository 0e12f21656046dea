import { formatBytes, formatCounts, formatMs, formatSeconds, formatTable } from './format.ts'
import { replyClasses } from './outcome.ts'
import type { LoadResult } from './result.ts'

/** Formats a result for a terminal. */
export function formatReport(result: LoadResult): string {
  const {
    method,
    url,
    sent,
    answered,
    due,
    waited,
    neverSent,
    durationMs,
    bytes,
    answeredPerSecond,
    statuses,
    errors,
    sender,
    isInterrupted,
    notes,
    violations,
  } = result
  const counts = [
    ...(result.loop === 'open' ? [`due ${due}`] : []),
    `sent ${sent}`,
    `answered ${answered}, ${answeredPerSecond.toFixed(1)} a second`,
    ...(waited > 0 ? [`waited for a connection ${waited}`] : []),
    ...(neverSent > 0 ? [`never sent ${neverSent}`] : []),
  ]
  const late =
    result.loop === 'open'
      ? `late by ${formatMs(sender.p50Ms)} ms (p50), ${formatMs(sender.p99Ms)} (p99), ${formatMs(sender.maxMs)} (max); `
      : ''
  const warmUp = result.warmUpMs > 0 ? ` after ${formatSeconds(result.warmUpMs)} of warm-up` : ''
  const lines = [
    `statuses  ${formatCounts(statuses) || 'none'}`,
    `errors    ${formatCounts(errors) || 'none'}`,
    `bytes     ${formatBytes(bytes)} of bodies`,
    `sender    ${late}busy ${(sender.busy * 100).toFixed(0)} %`,
    ...notes.map(note => `note: ${note}`),
    ...violations.map(violation => `violated: ${violation}`),
  ]
  return [
    `${method} ${url}`,
    `${formatLoop(result)}, ${formatSeconds(durationMs)}${warmUp}${isInterrupted ? ', interrupted' : ''}`,
    counts.join(', '),
    '',
    formatPercentiles(result),
    formatReplies(result),
    `${lines.join('\n')}\n`,
  ].join('\n')
}

/** Formats the kind of loop, the rate and the number of connections. */
export function formatLoop({
  rate,
  connections,
}: {
  readonly rate: number | null | undefined
  readonly connections: number
}): string {
  const shown = `${connections} ${connections === 1 ? 'connection' : 'connections'}`
  return rate === null || rate === undefined ? `closed loop over ${shown}` : `open loop, ${rate}/s over ${shown}`
}

/** Formats the percentiles in the layout of HdrHistogram. */
function formatPercentiles({ corrected, uncorrected }: LoadResult): string {
  const head = [
    'percentile',
    ...(corrected === null ? [] : ['ms from due', 'count']),
    'ms from sent',
    'count',
    '1/(1-p)',
  ]
  if ((corrected ?? uncorrected).length === 0) return ''
  const rows = (corrected ?? uncorrected).map(({ percentile, ms, count }, at) => [
    String(percentile),
    ...(corrected === null ? [] : [formatMs(ms), String(count)]),
    formatMs(uncorrected[at]?.ms ?? NaN),
    String(uncorrected[at]?.count ?? 0),
    percentile === 100 ? 'inf' : String(Math.round(100 / (100 - percentile))),
  ])
  return formatTable([head, ...rows])
}

function formatReplies(result: LoadResult): string {
  const from = result.loop === 'open' ? 'ms from due' : 'ms from sent'
  const rows = replyClasses
    .filter(reply => result.replies[reply].count > 0)
    .map(reply => {
      const { count, p50Ms, p99Ms, maxMs } = result.replies[reply]
      return [reply, String(count), formatMs(p50Ms), formatMs(p99Ms), formatMs(maxMs)]
    })
  return rows.length === 0 ? '' : formatTable([['answers', 'count', `p50 ${from}`, 'p99', 'max'], ...rows])
}
