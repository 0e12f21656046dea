import { availableParallelism } from 'node:os'
import { readFileDescriptors, allocateDescriptors } from '../http/guard/file-descriptors.ts'
import { withOverride } from '../upstream/runtime.ts'
import { partition, type Partition } from '../core/partition.ts'
import type { Catalogue } from './catalogue.ts'

export interface DescriptorLimitOptions {
  /** The partition of this process. @default the whole of each limit */
  readonly partition?: Partition | undefined
  /** The maximum number of threads. @default the number of cores */
  readonly threads?: number | undefined
  /** True if demo upstreams run in this process. Each upstream connection then has both of its ends here. */
  readonly hasDemoUpstreams: boolean
  /** Descriptors that this process needs for other connections, such as those of the admin listener. @default 0 */
  readonly reserved?: number
}

export interface DescriptorLimits {
  /** The `limits` option of the app. It is empty if the system does not report its number of descriptors. */
  readonly limits: { readonly scale?: number; readonly maxConnections?: number }
  /** The fields of a log line. Set if upstreams declare more connections than the descriptors allow. */
  readonly few: object | undefined
}

/** Computes the limits of an app from the number of file descriptors of this process. */
export function descriptorLimits(
  { specs, overrides }: Pick<Catalogue, 'specs' | 'overrides'>,
  {
    partition: ownPartition = { index: 0, count: 1 },
    threads = availableParallelism(),
    hasDemoUpstreams,
    reserved = 0,
  }: DescriptorLimitOptions,
): DescriptorLimits {
  const descriptors = readFileDescriptors()
  if (descriptors === undefined) return { limits: {}, few: undefined }
  const called = specs.filter(({ name }) => overrides[name]?.off !== true)
  const declared = called.reduce(
    (sum, spec) => sum + partition(withOverride(spec, overrides[spec.name] ?? {}).connections, ownPartition),
    0,
  )
  const { inbound, upstream } = allocateDescriptors(
    { ...descriptors, open: descriptors.open + reserved },
    { connections: hasDemoUpstreams ? 2 * declared : declared, threads },
  )
  return {
    limits: { scale: upstream, maxConnections: inbound },
    few: upstream < 1 ? { ...descriptors, inbound, upstream: Math.floor(upstream * declared), declared } : undefined,
  }
}
