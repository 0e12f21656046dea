import { availableParallelism } from 'node:os'
import { readFileDescriptors, allocateDescriptors } from '../http/guard/file-descriptors.ts'
import { withOverride } from '../upstream/runtime.ts'
import { partition, type Partition } from '../core/partition.ts'
import type { Catalogue } from './catalogue.ts'

export interface DescriptorLimitOptions {
  /** The partition of the bounds that this process has. @default all of them */
  readonly partition?: Partition | undefined
  /** Threads that may be started. @default one for each core */
  readonly threads?: number | undefined
  /** True if demo upstreams of this process have the other ends of the upstream connections. */
  readonly hasDemoUpstreams: boolean
}

export interface DescriptorLimits {
  /** Options of the app; empty where the system does not say how many descriptors there are. */
  readonly limits: { readonly scale?: number; readonly maxConnections?: number }
  /** Fields of a log line, where upstreams declare more connections than they can have. */
  readonly few: object | undefined
}

/** Computes what an app may have of the file descriptors of this process. */
export function descriptorLimits(
  { specs, overrides }: Pick<Catalogue, 'specs' | 'overrides'>,
  {
    partition: ownPartition = { index: 0, count: 1 },
    threads = availableParallelism(),
    hasDemoUpstreams,
  }: DescriptorLimitOptions,
): DescriptorLimits {
  const descriptors = readFileDescriptors()
  if (descriptors === undefined) return { limits: {}, few: undefined }
  const called = specs.filter(({ name }) => overrides[name]?.off !== true)
  const declared = called.reduce(
    (sum, spec) => sum + partition(withOverride(spec, overrides[spec.name] ?? {}).connections, ownPartition),
    0,
  )
  const { inbound, upstream } = allocateDescriptors(descriptors, {
    connections: hasDemoUpstreams ? 2 * declared : declared,
    threads,
  })
  return {
    limits: { scale: upstream, maxConnections: inbound },
    few: upstream < 1 ? { ...descriptors, inbound, upstream: Math.floor(upstream * declared), declared } : undefined,
  }
}
