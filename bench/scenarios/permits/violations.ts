import { medianInterval } from '../../lib/confidence-interval.ts'
import { quietOnly } from '../../lib/open-loop-figures.ts'
import type { PermitsMeasurement } from './measure-permits.ts'

export const limits = {
  /** Minimum ratio of the whole answers to the peak. */
  wholeToPeak: 0.95,
  /** Maximum ratio of the p99 of whole answers to the p99 at half of the peak. */
  p99ToCalm: 5,
}

/** The medians of the quiet rounds for one multiple of the peak. */
export interface PermitsSummary {
  readonly times: number
  readonly quietRounds: number
  readonly wholeToPeak: number
  readonly p99ToCalm: number
}

/** Returns the summary of each multiple of the peak. */
export function summariesOf({ peak, windows }: PermitsMeasurement): PermitsSummary[] {
  const quiet = quietOnly(windows)
  return [...new Set(windows.map(({ times }) => times))].map(times => {
    const own = quiet.filter(window => window.times === times)
    return {
      times,
      quietRounds: own.length,
      wholeToPeak: medianInterval(own.map(({ overload }) => overload.whole / peak)).median,
      p99ToCalm: medianInterval(own.map(({ overload, calm }) => overload.p99Ms / calm.p99Ms)).median,
    }
  })
}

/** Returns one line for each exceeded limit. A request at half of the peak that has no whole answer is one too. */
export function violationsOf(measurement: PermitsMeasurement): string[] {
  const failed = measurement.windows.filter(({ calm }) => calm.wholeRatio < 0.999).length
  return [
    ...(failed > 0 ? [`at half of the peak fewer than 99.9 % of the answers were whole in ${failed} windows`] : []),
    ...summariesOf(measurement).flatMap(({ times, wholeToPeak, p99ToCalm }) => [
      ...(wholeToPeak >= limits.wholeToPeak
        ? []
        : [`at ${times} times the peak the whole answers are ${wholeToPeak.toFixed(2)} of the peak, below 0.95`]),
      ...(p99ToCalm <= limits.p99ToCalm
        ? []
        : [`at ${times} times the peak the p99 is ${p99ToCalm.toFixed(1)} times that at half of the peak, above 5`]),
    ]),
  ]
}
