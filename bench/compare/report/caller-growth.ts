import { medianInterval } from '../../lib/confidence-interval.ts'
import type { ConfidenceInterval } from '../../lib/confidence-interval.ts'
import type { MeasuredRow } from '../measure/measure.ts'
import { roundRatios } from './ratios.ts'
import { summaryOf } from './summary.ts'

/** Two rows with the same calls and bodies, with the fewest and with the most callers. */
export interface CallerPair {
  readonly few: MeasuredRow
  readonly many: MeasuredRow
}

/** Returns the pairs of rows that differ by their callers only. */
export function callerPairs(rows: readonly MeasuredRow[]): CallerPair[] {
  const groups = Map.groupBy(rows, ({ row: { fanout, bodyBytes } }) => `${fanout} ${bodyBytes}`)
  return [...groups.values()].flatMap(group => {
    const sorted = group.toSorted((a, b) => a.row.callers - b.row.callers)
    const [few, many] = [sorted[0] as MeasuredRow, sorted.at(-1) as MeasuredRow]
    return few.row.callers === many.row.callers ? [] : [{ few, many }]
  })
}

/** Returns the name of a pair: `5, 512 callers / 8`. */
export function pairLabel({ few, many }: CallerPair): string {
  return `${many.row.fanout}, ${many.row.callers} callers / ${few.row.callers}`
}

/** Returns the CPU time per call of a target with many callers, divided by that with few callers. */
export function growthOf({ few, many }: CallerPair, name: string): number | undefined {
  const [before, after] = [few, many].map(({ windows }) => summaryOf(windows, name)?.cpuMicros.median)
  return before === undefined || after === undefined ? undefined : after / before
}

/**
 * Returns the growth of one target divided by that of another. A ratio of both targets within one round does not depend
 * on the speed of the machine, so the function divides these ratios, and not the growths.
 */
export function growthRatioOf({ few, many }: CallerPair, of: string, to: string): ConfidenceInterval | undefined {
  const before = roundRatios(few.windows, of, to, 'cpuMicrosPerCall')
  const after = roundRatios(many.windows, of, to, 'cpuMicrosPerCall')
  const ratios = [...after].flatMap(([round, ratio]) => {
    const earlier = before.get(round)
    return earlier === undefined ? [] : [ratio / earlier]
  })
  return ratios.length === 0 ? undefined : medianInterval(ratios)
}
