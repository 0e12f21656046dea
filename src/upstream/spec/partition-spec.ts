import { partition, type Partition } from '../../core/partition.ts'
import { initialConcurrency, type UpstreamSpec } from './spec.ts'

/** A limit that must be at least 1 in every partition. */
export interface PartitionedBound {
  /** The owner of the limit: `upstream 'prices'`. */
  readonly owner: string
  readonly option: string
  readonly total: number
}

/** Returns the limits of an upstream that must be at least 1 in every partition. */
export function partitionedBounds({
  name,
  concurrency,
  connections,
  caches,
  maxCacheBytes,
}: UpstreamSpec): PartitionedBound[] {
  const owner = `upstream '${name}'`
  return [
    // The connections are at least as many as the concurrency.
    concurrency === 'adaptive'
      ? { owner, option: 'connections', total: connections }
      : { owner, option: 'concurrency', total: concurrency },
    ...(caches ? [{ owner, option: 'maxCacheBytes', total: maxCacheBytes }] : []),
  ]
}

/** A retry budget counts whole attempts in windows of 10 s. */
const windowSeconds = 10

/**
 * Returns the upstream with one partition of each of its limits. Throws a `TypeError` for a limit that is smaller than
 * the number of partitions.
 */
export function partitionSpec(spec: UpstreamSpec, own: Partition): UpstreamSpec {
  const short = partitionedBounds(spec).find(({ total }) => total < own.count)
  if (short !== undefined)
    throw new TypeError(
      `${short.owner}: ${short.option} is ${short.total}, which is too few for ` +
        `${own.count} partitions: raise it, or use fewer partitions`,
    )
  const { concurrency, connections, maxQueue, maxCacheBytes, retryBudget } = spec
  const attempts = retryBudget.minPerSecond * windowSeconds
  const rest = own.index === 0 ? attempts % 1 : 0
  return {
    ...spec,
    concurrency: concurrency === 'adaptive' ? concurrency : partition(concurrency, own),
    initialConcurrency: Math.max(1, partition(initialConcurrency, own)),
    connections: partition(connections, own),
    maxQueue: partition(maxQueue, own),
    maxCacheBytes: partition(maxCacheBytes, own),
    retryBudget: { ...retryBudget, minPerSecond: (partition(Math.floor(attempts), own) + rest) / windowSeconds },
  }
}

/**
 * Returns the upstream with the limits that one process has.
 *
 * @param own - The partition of the process. @default all limits
 * @param sharesState - True if the replicas share state, which then divides a shared retry budget.
 */
export function dividedSpec(spec: UpstreamSpec, own: Partition | undefined, sharesState: boolean): UpstreamSpec {
  if (own === undefined) return spec
  const divided = partitionSpec(spec, own)
  return sharesState && spec.retryBudget.shared ? { ...divided, retryBudget: spec.retryBudget } : divided
}

/** Returns the upstream with its concurrency and connections reduced by a factor. Each is at least 1. */
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
