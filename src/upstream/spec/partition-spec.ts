import { startSlots } from '../policies/bulkhead/aimd.ts'
import { share, type Part } from '../../core/partition.ts'
import type { UpstreamSpec } from './spec.ts'

/** A bound of which every part must have one at least. */
export interface Divisible {
  /** Whose it is: `upstream 'prices'`. */
  readonly owner: string
  readonly option: string
  readonly total: number
}

/** The bounds of an upstream that have to be enough for every part. */
export function divisiblesOf ({ name, slots, connections, caches, cacheBytes }: UpstreamSpec): Divisible[] {
  const owner = `upstream '${name}'`
  return [
    // There are as many connections as slots, or more.
    slots === 'adaptive' ? { owner, option: 'connections', total: connections } : { owner, option: 'slots', total: slots },
    ...caches ? [{ owner, option: 'cacheBytes', total: cacheBytes }] : [],
  ]
}

/** A budget counts whole attempts in windows of 10 s. */
const windowSeconds = 10

/** The same upstream with one part of each of its bounds; throws a `TypeError` for one of which there is not enough. */
export function dividedSpec (spec: UpstreamSpec, part: Part): UpstreamSpec {
  const short = divisiblesOf(spec).find(({ total }) => total < part.count)
  if (short !== undefined) throw new TypeError(`${short.owner}: ${short.option} is ${short.total}, which cannot be divided by ${part.count}: raise it, or make fewer parts`)
  const { slots, connections, queue, cacheBytes, budget } = spec
  const attempts = budget.perSecond * windowSeconds
  const rest = part.index === 0 ? attempts % 1 : 0
  return {
    ...spec,
    slots: slots === 'adaptive' ? slots : share(slots, part),
    startSlots: Math.max(1, share(startSlots, part)),
    connections: share(connections, part),
    queue: share(queue, part),
    cacheBytes: share(cacheBytes, part),
    budget: { ...budget, perSecond: (share(Math.floor(attempts), part) + rest) / windowSeconds },
  }
}

/** Returns the upstream with its slots and connections reduced by a factor; it keeps one of each at least. */
export function scaledSpec (spec: UpstreamSpec, scale: number): UpstreamSpec {
  if (scale === 1) return spec
  const { slots, connections } = spec
  return { ...spec, slots: slots === 'adaptive' ? slots : scaled(slots, scale), connections: scaled(connections, scale) }
}

function scaled (total: number, scale: number): number {
  return Math.max(1, Math.floor(total * scale))
}
