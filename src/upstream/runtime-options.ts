import type { LookupFunction } from 'node:net'
import { numberWithin, wholeNumber } from '../core/bounds.ts'
import { rejectUnknownOptions, type OptionKeys } from '../core/option-keys.ts'
import { checkPartition, type Partition } from '../core/partition.ts'
import type { ThreadOptions } from '../threads/threads.ts'
import type { BreakerChange, OriginChange } from './client-events.ts'
import { checkDnsServers } from './connect/dns-servers.ts'
import { checkOverride, type Override } from './override.ts'
import { checkStore, type CacheStore, type CacheStoreFault } from './policies/cache/store.ts'
import type { SharedState } from './shared-state.ts'
import type { Layers } from './spec/layers.ts'
import { runtimeRenames } from './spec/renamed.ts'
import type { Variables } from './spec/variables.ts'

/** Options of `createRuntime`. */
export interface RuntimeOptions {
  /** Overrides by the upstream's name. @default {} */
  readonly overrides?: Readonly<Record<string, Override>>
  /**
   * The variables that `env('NAME')` and `proxy: true` of a declaration read, for example `process.env`.
   * @default {}
   */
  readonly environment?: Variables
  /** Resolves host names to addresses. @default `dns.lookup` of Node */
  readonly lookup?: LookupFunction
  /**
   * The DNS servers that `addresses` and `srv` of `origins` use, as `address` or `address:port`. With them only
   * `localhost` is looked up: the hosts file and search domains are not used.
   * @default the DNS servers of the system
   */
  readonly dnsServers?: readonly string[] | undefined
  /** Called when the circuit breaker of an upstream opens, half-opens or closes. @default not called */
  readonly onBreakerChange?: (change: BreakerChange) => void
  /**
   * Called when one of several origins of an upstream is ejected, unhealthy or available again, or is added or removed
   * by DNS. An error that it throws is ignored.
   * @default not called
   */
  readonly onOriginChange?: ((change: OriginChange) => void) | undefined
  /** Custom layers of every upstream, the outermost first. The layers of an upstream are inside these. @default {} */
  readonly layers?: Layers
  /**
   * Stores the answers of operations with `cache`. The runtime does not close it.
   * @default one memory store per upstream, limited by its `maxCacheBytes`
   */
  readonly cacheStore?: CacheStore
  /**
   * The state that replicas share: `redisState` of `headwaters/redis` creates it. It has a cache store, so it excludes
   * `cacheStore`. The runtime does not close it.
   * @default the state of this runtime alone
   */
  readonly shared?: SharedState | undefined
  /** Called with each fault of the cache store, for a log. An error that it throws is ignored. @default not called */
  readonly onCacheStoreFault?: (fault: CacheStoreFault) => void
  /**
   * The threads in which offloaded functions run. No thread starts before the first offloaded call.
   * @default the defaults of `ThreadOptions`
   */
  readonly threads?: ThreadOptions
  /** Called with the error of a thread that ended while it was idle. @default not called */
  readonly onThreadError?: (error: Error) => void
  /**
   * Called with each token that the token endpoint of an upstream returned, so that a log can redact it.
   * @default not called
   */
  readonly onToken?: ((token: string) => void) | undefined
  /**
   * The share of every upstream's limits that this runtime has, if several processes divide them.
   * @default all of them
   */
  readonly partition?: Partition | undefined
  /**
   * The factor that reduces the concurrency and the connections of every upstream. It is above 0 and at most 1. Each
   * result is at least 1.
   * @default 1
   */
  readonly scale?: number | undefined
}

const runtimeOptions: OptionKeys<RuntimeOptions> = {
  overrides: true,
  environment: true,
  lookup: true,
  dnsServers: true,
  onBreakerChange: true,
  onOriginChange: true,
  layers: true,
  cacheStore: true,
  shared: true,
  onCacheStoreFault: true,
  threads: true,
  onThreadError: true,
  onToken: true,
  partition: true,
  scale: true,
}
const threadOptions: OptionKeys<ThreadOptions> = { count: true, queue: true, heapBytes: true }

/** With a smaller heap a thread may not start, or V8 ends the process. */
const minHeapBytes = 64 * 2 ** 20

/** Checks the options of a runtime except `layers`. Throws a `TypeError` that names the option. */
export function checkRuntimeOptions(options: RuntimeOptions): void {
  rejectUnknownOptions('runtime', options, runtimeOptions, { renamed: runtimeRenames })
  const { overrides = {}, threads = {}, partition, dnsServers, scale = 1, cacheStore, shared } = options
  for (const [name, override] of Object.entries(overrides)) checkOverride(name, override)
  checkThreads(threads)
  if (partition !== undefined) checkPartition('runtime', partition)
  if (dnsServers !== undefined) checkDnsServers('runtime', dnsServers)
  if (!(scale > 0 && scale <= 1)) throw new TypeError(`runtime: scale must be above 0 and at most 1, got ${scale}`)
  if (cacheStore !== undefined) checkStore('runtime', cacheStore)
  if (shared !== undefined) checkShared(shared, cacheStore)
}

function checkShared(shared: Partial<SharedState> | null, cacheStore: CacheStore | undefined): void {
  if (typeof shared?.shareBudget !== 'function')
    throw new TypeError('runtime: shared must be the state that redisState of headwaters/redis returns')
  if (cacheStore !== undefined)
    throw new TypeError('runtime: shared excludes cacheStore, because it has a cache store: remove one of them')
}

function checkThreads(options: ThreadOptions): void {
  rejectUnknownOptions('runtime', options, threadOptions, { group: 'threads' })
  const { count, queue, heapBytes } = options
  if (count !== undefined) wholeNumber('runtime', 'threads.count', count)
  if (queue !== undefined) wholeNumber('runtime', 'threads.queue', queue, { min: 0 })
  if (heapBytes !== undefined) numberWithin('runtime', 'threads.heapBytes', heapBytes, minHeapBytes, 2 ** 40)
}
