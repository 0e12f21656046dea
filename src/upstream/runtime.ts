import { lookup as systemLookup } from 'node:dns'
import { UpstreamError } from '../errors.ts'
import { DnsMetrics } from '../metrics/dns-metrics.ts'
import { readTasks } from '../metrics/readings.ts'
import { RuntimeMetrics } from '../metrics/runtime-metrics.ts'
import { RuntimeCounters } from '../metrics/runtime-counters.ts'
import type { MetricsSource } from '../metrics/source.ts'
import { UpstreamMetrics } from '../metrics/upstream-metrics.ts'
import type { Task } from '../threads/task.ts'
import { createClient, type BreakerChange, type Client, type Gauge } from './client.ts'
import type { Counts } from './policies/observe.ts'
import { Invalidations } from './policies/cache/invalidations.ts'
import type { CacheStoreFault } from './policies/cache/store.ts'
import { ignoreRejection } from '../core/promises.ts'
import { operationsOf } from './declare.ts'
import { addressOf, withOverride } from './override.ts'
import { checkRuntimeOptions, type RuntimeOptions } from './runtime-options.ts'
import { partitionSpec, scaledSpec } from './spec/partition-spec.ts'
import { createResolve } from './connect/resolve.ts'
import type { UpstreamSpec } from './spec/spec.ts'
import { checkLayers } from './spec/layers.ts'
import { type Offloaded, createThreads } from '../threads/threads.ts'
import { type Service, serviceOf } from './call/layer.ts'
import { closeUnsent } from './call/write-body/stream-body.ts'

export type { BreakerChange } from './client.ts'
export { withOverride, type Override } from './override.ts'
export type { RuntimeOptions } from './runtime-options.ts'

/**
 * The state of the upstreams that an app calls: their connection pools, circuit breakers, retry budgets and caches, and
 * the threads of offloaded functions. Two runtimes share nothing.
 *
 * @example
 * ```ts
 * import { createRuntime } from 'headwaters'
 *
 * const runtime = createRuntime()
 * const { prices } = runtime.stats() // undefined until the upstream is called
 * console.log(prices?.calls, prices?.breaker)
 * await runtime.close()
 * ```
 */
export interface Runtime {
  /** Sends a call through the layers of its upstream. */
  readonly send: Service
  /**
   * Runs a function in a thread. `offload` of the package uses it.
   *
   * @param task The file and the name of the function, and its arguments.
   * @returns The task. Its value rejects with `THREADS_FULL` or `RUNTIME_CLOSED` if it cannot run, and with a
   *   `TypeError` for an argument that cannot be copied to a thread.
   */
  offload(task: Task): Offloaded
  /**
   * Returns the state and the counts of the upstreams that were called.
   *
   * @returns One entry per upstream, by its name. The counts are from the start of the runtime.
   */
  stats(): Record<string, Readonly<Counts> & Gauge>
  /**
   * The metrics of this runtime and of its process, for a scrape by Prometheus. They also count the runs and the
   * inbound requests that use this runtime. docs/metrics.md describes each of them.
   */
  readonly metrics: MetricsSource
  /**
   * Closes all connections and threads. Calls and tasks in flight, and later ones, are rejected with `RUNTIME_CLOSED`.
   */
  close(): Promise<void>
}

/**
 * Creates a runtime. It opens no connection before the first call and starts no thread before the first task.
 *
 * @param options The environment, overrides and layers of the upstreams, and the threads.
 * @returns The runtime. Close it when it is no longer needed; until then its connections may keep the process running.
 * @throws `TypeError` for an option that is wrong. The message names the option and the fix.
 * @example
 * ```ts
 * import { createRuntime } from 'headwaters'
 *
 * const runtime = createRuntime({
 *   environment: process.env,
 *   overrides: { prices: { origin: 'http://127.0.0.1:4000', concurrency: 8 } },
 *   onBreakerChange: ({ upstream, from, to }) => console.warn(upstream, from, to),
 * })
 * ```
 */
export function createRuntime(options: RuntimeOptions = {}): Runtime {
  checkRuntimeOptions(options)
  const {
    overrides = {},
    environment = {},
    lookup = systemLookup,
    layers = {},
    onBreakerChange,
    cacheStore,
    onCacheStoreFault,
    partition,
    scale = 1,
    threads: threadOptions,
    onThreadError,
    onToken,
  } = options
  const counters = new RuntimeCounters()
  const dns = new DnsMetrics(counters.metrics)
  const resolve = createResolve(lookup, undefined, (ms, code) => dns.ended(ms, code))
  const services = { variables: environment, resolve, onToken }
  const outer = checkLayers('runtime', layers)
  const threads = createThreads({ ...threadOptions, onError: onThreadError })
  readTasks(counters.metrics, () => threads.gauge())
  const breakerChanged =
    onBreakerChange &&
    ((change: BreakerChange) => {
      ignoreRejection(onBreakerChange(change))
    })
  const storeFailed =
    onCacheStoreFault &&
    ((fault: CacheStoreFault) => {
      try {
        ignoreRejection(onCacheStoreFault(fault))
      } catch {
        // A fault of the store, or of the callback that reports it, does not fail the call.
      }
    })
  const invalidations = new Invalidations({ shared: cacheStore })
  const clients = new Map<UpstreamSpec, Client>()
  let closed = false
  counters.permitBacklog = maxHoldMs => {
    let highest = 0
    for (const client of clients.values()) highest = Math.max(highest, client.permitBacklog(maxHoldMs))
    return highest
  }

  counters.attemptTimeoutOf = upstream => (clients.get(upstream as UpstreamSpec) as Client).attemptTimeout

  function open(spec: UpstreamSpec): Client {
    const override = (Object.hasOwn(overrides, spec.name) ? overrides[spec.name] : undefined) ?? {}
    const own = withOverride(
      {
        ...spec,
        layers: { call: [...outer.call, ...spec.layers.call], attempt: [...outer.attempt, ...spec.layers.attempt] },
      },
      override,
    )
    const address = addressOf(spec, override)
    const metrics = new UpstreamMetrics(counters.metrics, own, address.url)
    const client = createClient(
      scaledSpec(partition === undefined ? own : partitionSpec(own, partition), scale),
      address,
      services,
      { onBreakerChange: breakerChanged, cacheStore, onCacheStoreFault: storeFailed, invalidations, metrics },
    )
    // All series of calls that rate() needs from 0 on exist from now on.
    for (const operation of operationsOf(spec)) metrics.of(operation)
    clients.set(spec, client)
    return client
  }

  return {
    send: serviceOf((call, completion) => {
      const { upstream } = call.spec
      if (closed) {
        closeUnsent(call)
        return completion.reject(new UpstreamError('RUNTIME_CLOSED', upstream.name))
      }
      let client = clients.get(upstream)
      if (client === undefined) {
        try {
          client = open(upstream)
        } catch (error) {
          closeUnsent(call)
          return completion.reject(error)
        }
      }
      client.send(call, completion)
    }),
    offload: task => threads.run(task),
    stats: () =>
      Object.fromEntries(Array.from(clients, ([{ name }, { counts, gauge }]) => [name, { ...counts, ...gauge() }])),
    metrics: new RuntimeMetrics(counters),
    async close() {
      closed = true
      await Promise.all([threads.close(), ...Array.from(clients.values(), client => client.close())])
      invalidations.close()
    },
  }
}
