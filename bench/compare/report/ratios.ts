import { medianInterval } from '../../lib/confidence-interval.ts'
import type { ConfidenceInterval } from '../../lib/confidence-interval.ts'
import { twins } from '../targets.ts'
import type { Window } from '../measure/window.ts'

/** A figure of a window of which ratios are formed. */
export type Figure = 'cpuMicrosPerCall' | 'p50Ms' | 'p99Ms'

export interface Ratio extends ConfidenceInterval {
  readonly of: string
  readonly to: string
  /** Ratio of the lowest figures of both targets. A disturbed machine affects this ratio least. */
  readonly best: number
}

/**
 * Returns the pairs to compare: first target / each other target, each other target / `Pool.request`, and the twins.
 */
function pairsOf(targets: readonly string[]): (readonly [of: string, to: string])[] {
  const [first = '', ...others] = targets.filter(name => twins.every(([twin]) => name !== twin))
  return [
    ...others.map(name => [first, name] as const),
    ...others.filter(name => name !== 'floor-request').map(name => [name, 'floor-request'] as const),
    ...twins,
  ]
}

/**
 * Returns the ratios of CPU time per call. A ratio is formed from two windows of the same round, because the speed of
 * the machine changes between rounds.
 */
export function ratiosOf(windows: readonly Window[], targets: readonly string[]): Ratio[] {
  return pairsOf(targets).flatMap(([of, to]) => ratioOf(windows, of, to) ?? [])
}

/**
 * Returns one ratio of two targets, or `undefined` if no round has windows of both.
 *
 * @param figure - The figure of a window to compare. The default is the CPU time per call.
 */
export function ratioOf(
  windows: readonly Window[],
  of: string,
  to: string,
  figure: Figure = 'cpuMicrosPerCall',
): Ratio | undefined {
  const ratios = [...roundRatios(windows, of, to, figure).values()]
  const lowest = (name: string) =>
    Math.min(...windows.filter(({ target }) => target === name).map(window => window[figure]))
  return ratios.length === 0 ? undefined : { of, to, ...medianInterval(ratios), best: lowest(of) / lowest(to) }
}

/** Returns the ratio of two targets in each round that has windows of both. */
export function roundRatios(
  windows: readonly Window[],
  of: string,
  to: string,
  figure: Figure,
): ReadonlyMap<number, number> {
  const others = new Map(windows.filter(({ target }) => target === to).map(window => [window.round, window]))
  return new Map(
    windows.flatMap(window => {
      const other = window.target === of ? others.get(window.round) : undefined
      return other === undefined ? [] : [[window.round, window[figure] / other[figure]] as const]
    }),
  )
}
