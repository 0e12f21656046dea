import type { ConfidenceInterval } from '../../lib/confidence-interval.ts'
import type { MeasuredRow, Measurement } from '../measure/measure.ts'
import { callerPairs, growthOf, growthRatioOf, pairLabel } from './caller-growth.ts'
import { ratioOf } from './ratios.ts'
import type { Figure } from './ratios.ts'
import { intervalText, mebibytes } from './tables.ts'
import { rowLabel } from '../workload/row.ts'
import { summaryOf } from './summary.ts'
import { twin } from '../targets.ts'

/** Formats a measurement as tables for a page: ratios, growth with the number of callers, costs, latencies, memory, and event loop delays if known. */
export function markdownOf({ targets, labels, idleBytes, rows }: Measurement): string {
  const named = targets.filter(name => name !== twin.name)
  const [first = '', ...others] = named
  const pairs = [
    ...others.map(name => [first, name] as const),
    ...(targets.includes(twin.name) ? [[twin.name, twin.of] as const] : []),
  ]
  const pairNames = pairs.map(([of, to]) =>
    of === twin.name ? 'noise: `pool.dispatch` twice' : `to ${code(labels, to)}`,
  )
  const ratioCells = (windows: MeasuredRow['windows'], figure: Figure) =>
    pairs.map(([of, to]) => textOf(ratioOf(windows, of, to, figure)))
  const ratios = table(
    ['fan-out', ...pairNames, 'windows dropped'],
    rows.map(({ row, windows, dropped }) => [
      rowLabel(row),
      ...ratioCells(windows, 'cpuMicrosPerCall'),
      `${dropped.length} of ${windows.length + dropped.length}`,
    ]),
  )
  const tails = table(
    ['p99', ...pairNames],
    rows.map(({ row, windows }) => [rowLabel(row), ...ratioCells(windows, 'p99Ms')]),
  )
  const growths = callerPairs(rows)
  const growth = table(
    ['growth of µs a call', ...named.map(name => code(labels, name))],
    growths.flatMap(pair => [
      [pairLabel(pair), ...named.map(name => growthOf(pair, name)?.toFixed(2) ?? '–')],
      [`${code(labels, first)} / it`, '–', ...others.map(name => textOf(growthRatioOf(pair, first, name)))],
    ]),
  )
  const summaryTable = (title: string, cell: Cell) =>
    table([title, ...named.map(name => code(labels, name))], cells(rows, named, cell))
  const memory: Cell = ({ peakBytes }, name) => {
    const idle = idleBytes[name]
    return idle === undefined ? mebibytes(peakBytes) : `${mebibytes(peakBytes)} (${mebibytes(peakBytes - idle)})`
  }
  const hasStalls = rows.some(({ windows }) => windows.some(({ stallMs }) => stallMs !== null))
  return [
    ratios,
    ...(pairs.length === 0 ? [] : [tails]),
    ...(growths.length === 0 ? [] : [growth]),
    summaryTable('µs a call', ({ cpuMicros }) => cpuMicros.median.toFixed(1)),
    summaryTable('p50, p99 ms', ({ p50Ms, p99Ms }) => `${p50Ms.toFixed(1)}, ${p99Ms.toFixed(1)}`),
    summaryTable('peak MiB (grown)', memory),
    ...(hasStalls
      ? [summaryTable('longest stall, ms', ({ stallMs }) => (stallMs === null ? '–' : stallMs.toFixed(0)))]
      : []),
  ].join('\n')
}

/**
 * Formats the cost of a call of the first target, and its ratio to each other target, as a table with a column per
 * fan-out. Returns an empty text if there is nothing to compare with.
 */
export function ratioTableOf({ targets, labels, rows }: Measurement, fanouts: readonly number[]): string {
  const [first = '', ...others] = targets.filter(name => name !== twin.name)
  const shown = rows.filter(({ row }) => fanouts.some(fanout => rowLabel(row) === String(fanout)))
  const costs = shown.map(({ windows }) => summaryOf(windows, first)?.cpuMicros.median.toFixed(1) ?? '–')
  const ratios = others
    .map(name => ({ name, medians: shown.map(({ windows }) => ratioOf(windows, first, name)?.median) }))
    .filter(({ medians }) => medians.some(median => median !== undefined))
  if (ratios.length === 0) return ''
  return table(
    ['', ...shown.map(({ row }) => `fan-out of ${row.fanout}`)],
    [
      [`µs a call with ${code(labels, first)}`, ...costs],
      ...ratios.map(({ name, medians }) => [
        `ratio to ${code(labels, name)}`,
        ...medians.map(median => median?.toFixed(2) ?? '–'),
      ]),
    ],
  )
}

function textOf(ratio: ConfidenceInterval | undefined) {
  return ratio === undefined ? '–' : intervalText(ratio)
}

type Cell = (summary: NonNullable<ReturnType<typeof summaryOf>>, name: string) => string

function cells(rows: readonly MeasuredRow[], names: readonly string[], cell: Cell) {
  return rows.map(({ row, windows }) => [
    rowLabel(row),
    ...names.map(name => {
      const summary = summaryOf(windows, name)
      return summary === undefined ? '–' : cell(summary, name)
    }),
  ])
}

function table(head: readonly string[], rows: readonly (readonly string[])[]) {
  return [head, head.map(() => '---'), ...rows].map(row => `| ${row.join(' | ')} |\n`).join('')
}

/** Formats the names of functions in a label as code. */
function code(labels: Measurement['labels'], name: string) {
  return (labels[name] ?? name).replaceAll(/\b(pool\.\w+|fetch)\b/gi, '`$1`')
}
