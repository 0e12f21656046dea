import { UpstreamError } from '../errors.ts'
import { readTasks } from '../metrics/readings.ts'
import { RuntimeCounters } from '../metrics/runtime-counters.ts'
import { RuntimeMetrics } from '../metrics/runtime-metrics.ts'
import type { MetricsSource } from '../metrics/source.ts'
import { type Offloaded, createThreads } from '../threads/threads.ts'
import type { Task } from '../threads/task.ts'
import { type Service, serviceOf } from './call/layer.ts'
import { closeUnsent } from './call/write-body/stream-body.ts'
import type { Client } from './client.ts'
import type { Gauge } from './client-gauge.ts'
import { listenersOf } from './client-listeners.ts'
import { effectiveUpstream, type EffectiveOptions } from './effective-upstream.ts'
import { Lineage, type LineageOptions } from './lineage.ts'
import { OriginLists } from './origin-lists.ts'
import type { Counts } from './policies/observe.ts'
import { checkRuntimeOptions, type RuntimeOptions } from './runtime-options.ts'
import { checkLayers } from './spec/layers.ts'
import type { UpstreamSpec } from './spec/spec.ts'

export type { BreakerChange, OriginChange } from './client-events.ts'
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
   * @returns One entry per upstream, by its name. The counts are from the first call of the upstream on.
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
  return openRuntime(options, new Lineage(options))
}

/** The options of a runtime after another one. Those of `LineageOptions` stay. */
export type SuccessorOptions = Omit<RuntimeOptions, keyof LineageOptions>

/**
 * Creates the runtime for definitions that replace those of an earlier runtime. It uses the clients of the upstreams
 * that did not change, and counts in the metrics of the earlier runtime. Each client closes with the last runtime that
 * uses it.
 *
 * @param previous A runtime that `createRuntime` or this function has created.
 * @param specs The upstreams of the definitions.
 * @throws `TypeError` for an option, or for an upstream with limits or an address that cannot be used.
 */
export function succeedRuntime(
  previous: Runtime,
  specs: readonly UpstreamSpec[],
  options: SuccessorOptions = {},
): Runtime {
  checkRuntimeOptions(options)
  return openRuntime(options, lineages.get(previous) as Lineage, specs)
}

/** The lineage of each runtime. */
const lineages = new WeakMap<Runtime, Lineage>()

/** @param specs The upstreams whose open clients the runtime uses from the start. */
function openRuntime(options: RuntimeOptions, lineage: Lineage, specs: readonly UpstreamSpec[] = []): Runtime {
  const { overrides = {}, environment = {}, layers = {}, partition, scale = 1 } = options
  const effective: EffectiveOptions = {
    overrides,
    environment,
    layers: checkLayers('runtime', layers),
    partition,
    scale,
    sharesState: lineage.sharesState,
  }
  const lists = new OriginLists()
  const effectiveOf = (spec: UpstreamSpec) => {
    const upstream = effectiveUpstream(spec, effective)
    lists.add(spec.name, upstream.address)
    return upstream
  }
  // Everything that can throw comes before the runtime joins.
  const upstreams = specs.map(spec => [spec, effectiveOf(spec)] as const)
  const member = lineage.join(listenersOf(options))
  const clients = new Map<UpstreamSpec, Client>()
  for (const [spec, upstream] of upstreams) {
    const client = member.acquireOpen(upstream)
    if (client !== undefined) clients.set(spec, client)
  }
  const threads = createThreads({ ...options.threads, onError: options.onThreadError })
  const endReading = readTasks(lineage.metrics, () => threads.gauge())
  const counters = new RuntimeCounters(lineage.metrics)
  let closing: Promise<void> | undefined
  counters.permitBacklog = maxHoldMs => {
    let highest = 0
    for (const client of clients.values()) highest = Math.max(highest, client.permitBacklog(maxHoldMs))
    return highest
  }

  counters.attemptTimeoutOf = upstream => (clients.get(upstream as UpstreamSpec) as Client).attemptTimeout

  function open(spec: UpstreamSpec): Client {
    const client = member.acquire(effectiveOf(spec))
    clients.set(spec, client)
    return client
  }

  async function close(): Promise<void> {
    await Promise.all([threads.close(), member.leave()])
    endReading()
  }

  const runtime: Runtime = {
    send: serviceOf((call, completion) => {
      const { upstream } = call.spec
      if (closing !== undefined) {
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
    metrics: new RuntimeMetrics(counters, lineage.source),
    close: () => (closing ??= close()),
  }
  lineages.set(runtime, lineage)
  return runtime
}
