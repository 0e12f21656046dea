import { medianInterval } from '../../lib/confidence-interval.ts'
import type { ConfidenceInterval } from '../../lib/confidence-interval.ts'
import { twins } from '../targets.ts'
import type { Window } from '../measure/window.ts'

export interface Ratio extends ConfidenceInterval {
  readonly of: string
  readonly to: string
  /** Ratio of the cheapest windows of both targets. A disturbed machine affects this ratio least. */
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

/** Returns one ratio of CPU time per call, or `undefined` if no round has windows of both targets. */
export function ratioOf(windows: readonly Window[], of: string, to: string): Ratio | undefined {
  const own = windows.filter(({ target }) => target === of)
  const others = windows.filter(({ target }) => target === to)
  const ratios = own.flatMap(window => {
    const other = others.find(({ round }) => round === window.round)
    return other ? [window.cpuMicrosPerCall / other.cpuMicrosPerCall] : []
  })
  return ratios.length === 0 ? undefined : { of, to, ...medianInterval(ratios), best: cheapest(own) / cheapest(others) }
}

function cheapest(windows: readonly Window[]) {
  return Math.min(...windows.map(window => window.cpuMicrosPerCall))
}
