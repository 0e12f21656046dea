import { availableParallelism } from 'node:os'
import { ConfigError, type Config } from '../../config.ts'
import { partitionedBounds, type PartitionedBound } from '../../upstream/spec/partition-spec.ts'
import { withOverride, type Override } from '../../upstream/runtime.ts'
import { partition, type Partition } from '../../core/partition.ts'
import type { UpstreamSpec } from '../../upstream/spec/spec.ts'

/** The configuration whose bounds the workers share. */
export interface Shared {
  readonly specs: readonly UpstreamSpec[]
  readonly overrides: Readonly<Record<string, Override>>
  readonly config: Pick<Config, 'inbound' | 'threads'>
}

/** The number of workers. If it is smaller than the number of cores, also the bound that limits it. */
export interface WorkerPlan {
  readonly workers: number
  readonly limitedBy?: string
}

/** Returns the bounds of which each worker needs at least one unit. */
function bounds({ specs, overrides, config: { inbound, threads } }: Shared): PartitionedBound[] {
  const called = specs.filter(({ name }) => overrides[name]?.off !== true)
  const { runs, bodiesBytes } = inbound.pressure
  return [
    ...called.flatMap(spec => partitionedBounds(withOverride(spec, overrides[spec.name] ?? {}))),
    ...(runs > 0 ? [{ owner: 'the service', option: 'MAX_RUNS', total: runs }] : []),
    ...(bodiesBytes > 0 ? [{ owner: 'the service', option: 'MAX_BODIES_BYTES', total: bodiesBytes }] : []),
    ...(threads.count === undefined ? [] : [{ owner: 'the service', option: 'OFFLOAD_THREADS', total: threads.count }]),
  ]
}

/** Throws a `ConfigError` that names each bound that is smaller than the number of workers. */
export function checkWorkers(shared: Shared, count: number): void {
  const faults = bounds(shared)
    .filter(({ total }) => total < count)
    .map(
      ({ owner, option, total }) =>
        `${owner}: ${option} is ${total}, too few for ${count} workers: raise it to ${count} or more, ` +
        `or start at most ${total === 1 ? 'one worker' : `${total} workers`}`,
    )
  if (faults.length > 0) throw new ConfigError([...new Set(faults)].join('\n'))
}

/** Returns one worker for each core, but at most as many workers as the smallest bound has units. */
export function planWorkers(shared: Shared, cores: number): WorkerPlan {
  const tightest = bounds(shared).toSorted((a, b) => a.total - b.total)[0]
  if (tightest === undefined || tightest.total >= cores) return { workers: cores }
  return { workers: tightest.total, limitedBy: `${tightest.owner}: ${tightest.option} is ${tightest.total}` }
}

/**
 * Returns the inbound options of one worker: its partition of the bounds of the service. Limits of a process, a request
 * or a connection are not divided.
 */
export function partitionInbound(inbound: Config['inbound'], part: Partition): Config['inbound'] {
  const { runs, bodiesBytes } = inbound.pressure
  // 0 means no limit, and its partitions are 0.
  return {
    ...inbound,
    pressure: { ...inbound.pressure, runs: partition(runs, part), bodiesBytes: partition(bodiesBytes, part) },
  }
}

/**
 * Returns the thread options of one worker: its partition of the threads and of their queue. If `OFFLOAD_THREADS` is
 * not set, each worker has at least one thread.
 */
export function partitionThreads(
  { count, queue, ...threads }: Config['threads'],
  part: Partition,
  cores = availableParallelism(),
): Config['threads'] {
  return {
    ...threads,
    count: count === undefined ? Math.max(1, partition(Math.max(1, cores - 1), part)) : partition(count, part),
    ...(queue !== undefined && { queue: partition(queue, part) }),
  }
}
