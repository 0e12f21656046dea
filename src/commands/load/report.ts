import { columns } from './columns.ts'
import { bytesText, countsText, msText, secondsText } from './figures.ts'
import { replies } from './reply.ts'
import type { Result } from './result.ts'

/** The result as text. */
export function reportOf(result: Result): string {
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
  const lines = [
    `statuses  ${countsText(statuses) || 'none'}`,
    `errors    ${countsText(errors) || 'none'}`,
    `bytes     ${bytesText(bytes)} of bodies`,
    `sender    ${result.loop === 'open' ? `late by ${msText(sender.p50Ms)} ms (p50), ${msText(sender.p99Ms)} (p99), ${msText(sender.maxMs)} (max); ` : ''}busy ${(sender.busy * 100).toFixed(0)} %`,
    ...notes.map(note => `note: ${note}`),
    ...violations.map(violation => `violated: ${violation}`),
  ]
  return [
    `${method} ${url}`,
    `${loopText(result)}, ${secondsText(durationMs)}${result.warmUpMs > 0 ? ` after ${secondsText(result.warmUpMs)} of warm-up` : ''}${isInterrupted ? ', interrupted' : ''}`,
    counts.join(', '),
    '',
    table(result),
    byReply(result),
    `${lines.join('\n')}\n`,
  ].join('\n')
}

/** How requests were sent. */
export function loopText({
  rate,
  connections,
}: {
  readonly rate: number | null | undefined
  readonly connections: number
}): string {
  const over = `${connections} ${connections === 1 ? 'connection' : 'connections'}`
  return rate === null || rate === undefined ? `closed loop over ${over}` : `open loop, ${rate}/s over ${over}`
}

/** Percentiles, in the manner of HdrHistogram. */
function table({ corrected, uncorrected }: Result): string {
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
    ...(corrected === null ? [] : [msText(ms), String(count)]),
    msText(uncorrected[at]?.ms ?? NaN),
    String(uncorrected[at]?.count ?? 0),
    percentile === 100 ? 'inf' : String(Math.round(100 / (100 - percentile))),
  ])
  return columns([head, ...rows])
}

function byReply(result: Result): string {
  const from = result.loop === 'open' ? 'ms from due' : 'ms from sent'
  const rows = replies
    .filter(reply => result.replies[reply].count > 0)
    .map(reply => {
      const { count, p50Ms, p99Ms, maxMs } = result.replies[reply]
      return [reply, String(count), msText(p50Ms), msText(p99Ms), msText(maxMs)]
    })
  return rows.length === 0 ? '' : columns([['answers', 'count', `p50 ${from}`, 'p99', 'max'], ...rows])
}
