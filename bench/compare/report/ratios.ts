import { medianInterval } from '../../lib/confidence-interval.ts'
import type { ConfidenceInterval } from '../../lib/confidence-interval.ts'
import { twins } from '../targets.ts'
import type { Window } from '../measure/window.ts'

export interface Ratio extends ConfidenceInterval {
  readonly of: string
  readonly to: string
  /** Of the cheapest window of each: what a disturbed machine spoils last. */
  readonly best: number
}

/** The first target to each of the others, each of them to `Pool.request`, and the noise. */
function pairsOf(targets: readonly string[]): (readonly [of: string, to: string])[] {
  const [first = '', ...others] = targets.filter(name => twins.every(([twin]) => name !== twin))
  return [
    ...others.map(name => [first, name] as const),
    ...others.filter(name => name !== 'floor-request').map(name => [name, 'floor-request'] as const),
    ...twins,
  ]
}

/** Ratios of CPU per call, each from the two windows of one round: the machine's speed moves between rounds. */
export function ratiosOf(windows: readonly Window[], targets: readonly string[]): Ratio[] {
  return pairsOf(targets).flatMap(([of, to]) => ratioOf(windows, of, to) ?? [])
}

/** One ratio of CPU per call; nothing where no round has both. */
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
