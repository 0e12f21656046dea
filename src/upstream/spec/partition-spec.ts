import { partition, type Partition } from '../../core/partition.ts'
import { initialConcurrency, type UpstreamSpec } from './spec.ts'

/** A bound of which every part must have one at least. */
export interface PartitionedBound {
  /** Whose it is: `upstream 'prices'`. */
  readonly owner: string
  readonly option: string
  readonly total: number
}

/** The bounds of an upstream that have to be enough for every part. */
export function partitionedBounds({
  name,
  concurrency,
  connections,
  caches,
  maxCacheBytes,
}: UpstreamSpec): PartitionedBound[] {
  const owner = `upstream '${name}'`
  return [
    // There are as many connections as slots, or more.
    concurrency === 'adaptive'
      ? { owner, option: 'connections', total: connections }
      : { owner, option: 'slots', total: concurrency },
    ...(caches ? [{ owner, option: 'cacheBytes', total: maxCacheBytes }] : []),
  ]
}

/** A budget counts whole attempts in windows of 10 s. */
const windowSeconds = 10

/** The same upstream with one part of each of its bounds; throws a `TypeError` for one of which there is not enough. */
export function partitionSpec(spec: UpstreamSpec, part: Partition): UpstreamSpec {
  const short = partitionedBounds(spec).find(({ total }) => total < part.count)
  if (short !== undefined)
    throw new TypeError(
      `${short.owner}: ${short.option} is ${short.total}, which cannot be divided by ${part.count}: raise it, or make fewer parts`,
    )
  const { concurrency, connections, maxQueue, maxCacheBytes, retryBudget } = spec
  const attempts = retryBudget.minPerSecond * windowSeconds
  const rest = part.index === 0 ? attempts % 1 : 0
  return {
    ...spec,
    concurrency: concurrency === 'adaptive' ? concurrency : partition(concurrency, part),
    initialConcurrency: Math.max(1, partition(initialConcurrency, part)),
    connections: partition(connections, part),
    maxQueue: partition(maxQueue, part),
    maxCacheBytes: partition(maxCacheBytes, part),
    retryBudget: { ...retryBudget, minPerSecond: (partition(Math.floor(attempts), part) + rest) / windowSeconds },
  }
}

/** Returns the upstream with its slots and connections reduced by a factor; it keeps one of each at least. */
export function scaledSpec(spec: UpstreamSpec, scale: number): UpstreamSpec {
  if (scale === 1) return spec
  const { concurrency, connections } = spec
  return {
    ...spec,
    concurrency: concurrency === 'adaptive' ? concurrency : scaled(concurrency, scale),
    connections: scaled(connections, scale),
  }
}

function scaled(total: number, scale: number): number {
  return Math.max(1, Math.floor(total * scale))
}
