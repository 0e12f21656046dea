import { median } from '../../lib/percentile.ts'
import { p99Of, sharesOf, type OriginsWindow } from './measure-origins.ts'

/** A window with ten good origins, and the next one with faulty origins. */
export interface WindowPair {
  readonly good: OriginsWindow
  readonly bad: OriginsWindow
}

/** The limit on the p99 with faulty origins, as a multiple of that with good ones. */
const maxRatio = 1.3
/** The limit on the share of the slow origin. */
const maxSlowShare = 0.02

/** Returns the limits that the windows exceed. A limit holds for the median of the windows; no call may fail in any. */
export function violationsOf(windows: readonly WindowPair[]): string[] {
  const ratio = median(windows.map(({ good, bad }) => p99Of(bad) / p99Of(good)))
  const slow = median(windows.map(({ bad }) => median(sharesOf(bad, 0))))
  const failed = windows.reduce((sum, { good, bad }) => sum + good.failed + bad.failed, 0)
  return [
    ...(ratio > maxRatio ? [`the p99 with faulty origins is ${ratio.toFixed(2)} times that with good ones`] : []),
    ...(slow > maxSlowShare ? [`the slow origin got ${(slow * 100).toFixed(2)} % of the attempts`] : []),
    ...(failed > 0 ? [`${failed} calls failed`] : []),
  ]
}
