import type { MeasuredRow } from '../../compare/measure/measure.ts'
import { ratioOf } from '../../compare/report/ratios.ts'
import type { Figure, Ratio } from '../../compare/report/ratios.ts'

/** Maximum ratio of `headwaters serve` to `Pool.request` by hand, by figure. */
export const limits = { p50Ms: 1.05, cpuMicrosPerCall: 1.25 } as const satisfies Partial<Record<Figure, number>>

const names = { p50Ms: 'p50', cpuMicrosPerCall: 'CPU time per call' } as const

/** A limit and the measured ratio. The ratio is `undefined` if no round has windows of both targets. */
export interface Comparison {
  readonly name: string
  readonly limit: number
  readonly ratio: Ratio | undefined
}

/** Returns the comparison for each limit. */
export function comparisonsOf({ windows }: Pick<MeasuredRow, 'windows'>): Comparison[] {
  return (Object.keys(limits) as (keyof typeof limits)[]).map(figure => ({
    name: names[figure],
    limit: limits[figure],
    ratio: ratioOf(windows, 'serve', 'floor-request', figure),
  }))
}

/** Returns one line for each exceeded limit, and for each ratio that was not measured. */
export function violationsOf(row: Pick<MeasuredRow, 'windows'>): string[] {
  return comparisonsOf(row).flatMap(({ name, limit, ratio }) => {
    if (ratio === undefined) return `${name}: no round has windows of both targets`
    return ratio.median <= limit ? [] : `${name}: ${ratio.median.toFixed(2)} of Pool.request by hand, above ${limit}`
  })
}
