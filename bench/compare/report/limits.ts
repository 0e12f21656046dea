import type { ConfidenceInterval } from '../../lib/confidence-interval.ts'
import type { MeasuredRow, Measurement } from '../measure/measure.ts'
import { readRows, rowLabel, usual } from '../workload/row.ts'
import { callerPairs, growthRatioOf } from './caller-growth.ts'
import { ratioOf } from './ratios.ts'
import { intervalText } from './tables.ts'

/** The compared figure: CPU time per call, p99, or the growth of the CPU time per call with the number of callers. */
type LimitedFigure = 'CPU' | 'p99' | 'growth'

/** The maximum of one ratio. */
export interface Limit {
  readonly of: string
  readonly to: string
  readonly figure: LimitedFigure
  /** The row, as `--fanouts` has it. */
  readonly row: string
  readonly most: number
}

function cpu(of: string, to: string, most: Readonly<Record<string, number>>): Limit[] {
  return Object.entries(most).map(([row, limit]) => ({ of, to, figure: 'CPU', row, most: limit }))
}

/** The limits of the case `serve`. */
export const limits: readonly Limit[] = [
  ...cpu('serve', 'floor-dispatch', { '1': 1.3, '5': 1.2, '20': 1.1, '100': 1.05, '20+10kb': 1.1 }),
  ...cpu('serve', 'floor-request', { '1': 1.15, '5': 0.95, '20': 0.95, '100': 0.9 }),
  ...cpu('serve', 'go', { '1': 1.05, '5': 0.85, '20': 0.65, '100': 0.5, '20+10kb': 0.45 }),
  ...cpu('serve', 'nginx', { '20': 0.65 }),
  ...cpu('serve-pipelining', 'rust', { '20': 1, '100': 1 }),
  ...cpu('serve-pipelining', 'floor-request', { '20': 0.5 }),
  ...['1', '5', '20'].map(
    row => ({ of: 'serve', to: 'floor-request', figure: 'p99', row, most: 1.25 }) as const satisfies Limit,
  ),
  { of: 'serve', to: 'floor-request', figure: 'growth', row: '5+512callers', most: 1.05 },
]

/** A limit and the measured ratio. */
export interface CheckedLimit {
  readonly limit: Limit
  /** `undefined` if the measurement has no round with windows of both targets in this row. */
  readonly ratio: ConfidenceInterval | undefined
}

/** Compares a measurement with each limit. */
export function checkLimits({ rows }: Pick<Measurement, 'rows'>, all: readonly Limit[] = limits): CheckedLimit[] {
  return all.map(limit => {
    const label = readRows(limit.row, usual).map(rowLabel)[0]
    const measured = rows.find(({ row }) => rowLabel(row) === label)
    return { limit, ratio: measured && measuredRatio(limit, measured, rows) }
  })
}

function measuredRatio({ of, to, figure }: Limit, measured: MeasuredRow, rows: readonly MeasuredRow[]) {
  if (figure !== 'growth') return ratioOf(measured.windows, of, to, figure === 'p99' ? 'p99Ms' : 'cpuMicrosPerCall')
  const pair = callerPairs(rows).find(({ many }) => many === measured)
  return pair && growthRatioOf(pair, of, to)
}

/** Returns one line for a limit, its ratio and the result. */
export function limitText({ limit: { of, to, figure, row, most }, ratio }: CheckedLimit): string {
  const name = `${figure} of ${of} / ${to} at ${row}`.padEnd(56)
  if (ratio === undefined) return `${name}not measured`
  return `${name}${intervalText(ratio).padEnd(20)}limit ${most.toFixed(2)}  ${ratio.median <= most ? 'ok' : 'exceeded'}`
}

/** Returns the lines of the exceeded limits. A limit that was not measured is not exceeded. */
export function exceededLimits(checked: readonly CheckedLimit[]): string[] {
  return checked.filter(({ limit, ratio }) => ratio !== undefined && ratio.median > limit.most).map(limitText)
}
