import { medianInterval } from '../../lib/confidence-interval.ts'
import { quietOnly } from '../../lib/open-loop-figures.ts'
import { variants } from './measure-fairness.ts'
import type { FairnessWindow, Variant } from './measure-fairness.ts'

export const limits = {
  /** Minimum ratio of the whole answers to the requests of the light aggregate. */
  whole: 0.99,
  /** Maximum ratio of the p99 of the light aggregate beside the flood to its calm p99. */
  p99ToCalm: 2,
}

/** The figures of the light aggregate beside the flood, in the quiet rounds: the mean ratio of whole answers, and a median. */
export interface FairnessSummary {
  readonly variant: Variant
  readonly quietRounds: number
  readonly whole: number
  readonly p99ToCalm: number
}

/** Returns the summary of each variant that was measured. */
export function summariesOf(windows: readonly FairnessWindow[]): FairnessSummary[] {
  return variants.flatMap(variant => {
    const own = quietOnly(windows.filter(window => window.variant === variant))
    if (own.length === 0) return []
    return {
      variant,
      quietRounds: own.length,
      whole: own.reduce((sum, { flood }) => sum + flood.wholeRatio, 0) / own.length,
      p99ToCalm: medianInterval(own.map(({ flood, calm }) => flood.p99Ms / calm.p99Ms)).median,
    }
  })
}

/** Returns one line for each exceeded limit. */
export function violationsOf(windows: readonly FairnessWindow[]): string[] {
  return summariesOf(windows).flatMap(({ variant, whole, p99ToCalm }) => [
    ...(whole >= limits.whole
      ? []
      : [`${variant}: ${(whole * 100).toFixed(1)} % of the light requests were answered whole, below 99 %`]),
    ...(p99ToCalm <= limits.p99ToCalm
      ? []
      : [`${variant}: the p99 beside the flood is ${p99ToCalm.toFixed(1)} times the calm p99, above 2`]),
  ])
}
