import { availableParallelism } from 'node:os'
import { ConfigError, type Config } from '../../config.ts'
import { partitionedBounds, type PartitionedBound } from '../../upstream/spec/partition-spec.ts'
import { withOverride, type Override } from '../../upstream/runtime.ts'
import { partition, type Partition } from '../../core/partition.ts'
import type { UpstreamSpec } from '../../upstream/spec/spec.ts'

/** What workers share. */
export interface Shared {
  readonly specs: readonly UpstreamSpec[]
  readonly overrides: Readonly<Record<string, Override>>
  readonly config: Pick<Config, 'inbound' | 'threads'>
}

/** How many workers there are to be, and the bound because of which they are fewer than the cores. */
export interface WorkerPlan {
  readonly workers: number
  readonly limitedBy?: string
}

/** Every bound of which each worker must have one at least. */
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

/** Refuses more workers than a bound can be divided among, by a `ConfigError` that names each such bound. */
export function checkWorkers(shared: Shared, count: number): void {
  const faults = bounds(shared)
    .filter(({ total }) => total < count)
    .map(
      ({ owner, option, total }) =>
        `${owner}: ${option} is ${total}, which cannot be divided among ${count} workers: raise it to ${count} or more, or start ${total === 1 ? 'one worker' : `${total} workers`} at most`,
    )
  if (faults.length > 0) throw new ConfigError([...new Set(faults)].join('\n'))
}

/** As many workers as there are cores, as far as every bound can be divided among them. */
export function planWorkers(shared: Shared, cores: number): WorkerPlan {
  const tightest = bounds(shared).toSorted((a, b) => a.total - b.total)[0]
  if (tightest === undefined || tightest.total >= cores) return { workers: cores }
  return { workers: tightest.total, limitedBy: `${tightest.owner}: ${tightest.option} is ${tightest.total}` }
}

/**
 * What one worker has of what protects the service; what is of a process, of a request or of a connection stays as it
 * is.
 */
export function dividedInbound(inbound: Config['inbound'], part: Partition): Config['inbound'] {
  const { runs, bodiesBytes } = inbound.pressure
  // None is no limit, and stays none.
  return {
    ...inbound,
    pressure: { ...inbound.pressure, runs: partition(runs, part), bodiesBytes: partition(bodiesBytes, part) },
  }
}

/**
 * The threads of one worker, and the tasks that may wait for them; where nobody has said how many there are, each
 * worker has one at least.
 */
export function dividedThreads(
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
