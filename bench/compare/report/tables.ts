import type { ConfidenceInterval } from '../../lib/confidence-interval.ts'
import type { MeasuredRow, Measurement } from '../measure/measure.ts'
import { callerPairs, growthOf, growthRatioOf, pairLabel } from './caller-growth.ts'
import { ratioOf, ratiosOf } from './ratios.ts'
import { rowLabel } from '../workload/row.ts'
import { summaryOf } from './summary.ts'
import { twins } from '../targets.ts'

const widths = [9, 14, 9, 9, 9, 9, 10, 9, 10]

/** Formats the table of one row for a terminal. */
export function tableOf(
  { row: measuredRow, windows, dropped }: MeasuredRow,
  { targets, idleBytes }: Measurement,
): string {
  const head = row(`fan-out ${rowLabel(measuredRow)}`, [
    'µs/call',
    'min–max',
    'calls/s',
    'p50 ms',
    'p99 ms',
    'busy',
    'peak MiB',
    'grown',
    'stall ms',
  ])
  const rows = targets.map(name => {
    const summary = summaryOf(windows, name)
    if (summary === undefined) return row(name, ['no window left'])
    const { cpuMicros, callsPerSecond, p50Ms, p99Ms, busy, peakBytes, stallMs } = summary
    const idle = idleBytes[name]
    return row(name, [
      cpuMicros.median.toFixed(1),
      `${cpuMicros.min.toFixed(1)}–${cpuMicros.max.toFixed(1)}`,
      callsPerSecond.toFixed(0),
      p50Ms.toFixed(1),
      p99Ms.toFixed(1),
      `${(busy * 100).toFixed(0)} %`,
      mebibytes(peakBytes),
      idle === undefined ? '–' : mebibytes(peakBytes - idle),
      stallMs === null ? '–' : stallMs.toFixed(0),
    ])
  })
  const ratios = ratiosOf(windows, targets).map(ratio => {
    const remark = twins.some(([twin]) => ratio.of === twin) ? '  noise: the same code twice' : ''
    const p99 = ratioOf(windows, ratio.of, ratio.to, 'p99Ms')
    const tail = p99 === undefined ? '' : `p99 ${intervalText(p99)}`
    const best = `best ${ratio.best.toFixed(2)}`
    return `  ${`${ratio.of} / ${ratio.to}`.padEnd(40)}${intervalText(ratio).padEnd(20)}${best.padEnd(11)}${tail}${remark}`
  })
  return [head, ...rows, '', ...ratios, droppedLine({ dropped }), ''].join('\n')
}

/** Formats the growth of the CPU time per call with the number of callers. Returns an empty text without such rows. */
export function growthTableOf({ rows, targets }: Measurement): string {
  const [first = '', ...others] = targets
  return callerPairs(rows)
    .flatMap(pair => [
      row(`fan-out ${pairLabel(pair)}`, ['growth']),
      ...targets.map(name => row(name, [growthOf(pair, name)?.toFixed(2) ?? 'no window left'])),
      '',
      ...others.flatMap(name => {
        const ratio = growthRatioOf(pair, first, name)
        return ratio === undefined ? [] : [`  ${`${first} / ${name}`.padEnd(40)}${intervalText(ratio)}`]
      }),
      '',
    ])
    .join('\n')
}

/** Formats a median with its interval in brackets. */
export function intervalText({ median, low, high }: ConfidenceInterval): string {
  return `${median.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`
}

/** Returns the text that explains the brackets for a number of rounds. */
export function bracketsText(rounds: number): string {
  return rounds < 6 ? 'the range: fewer than 6 rounds have no 95 % interval' : '95 % interval of the median'
}

export function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0)
}

/** Formats the number of dropped windows and the first reason. */
function droppedLine({ dropped }: Pick<MeasuredRow, 'dropped'>) {
  const [first] = dropped
  if (first === undefined) return '  windows dropped: none'
  return (
    `  windows dropped: ${dropped.length}, and measured once more; the first: ` +
    `${first.window.target}, round ${first.window.round}: ${first.reason}`
  )
}

function row(name: string, cells: readonly string[]) {
  return `${name.padEnd(26)}${cells.map((cell, index) => cell.padStart(widths[index] ?? 0)).join('')}`
}
