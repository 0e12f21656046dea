import { lookup as systemLookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { UpstreamError } from '../errors.ts'
import type { Task } from '../threads/task.ts'
import { createThreads, type Offloaded, type ThreadOptions } from '../threads/threads.ts'
import { wholeNumber } from '../core/bounds.ts'
import { checkStore, type CacheStore } from './policies/cache/store.ts'
import { checkThreads } from './spec/check-threads.ts'
import { createClient, type BreakerChange, type Client, type Gauge } from './client.ts'
import { serviceOf, type Service } from './policies/layer.ts'
import type { Counts } from './policies/observe.ts'
import { ignoreRejection } from '../core/ignore-rejection.ts'
import { partitionSpec, scaledSpec } from './spec/partition-spec.ts'
import { originFault } from './spec/origin.ts'
import { createResolve } from './connect/resolve.ts'
import { checkPartition, type Partition } from '../core/partition.ts'
import { maxAdaptiveConnections, type UpstreamSpec } from './spec/spec.ts'
import { checkLayers, type Layers } from './spec/layers.ts'
import type { Variables } from './spec/variables.ts'
import type { UpstreamAddress } from './transport/transport.ts'

export type { BreakerChange } from './client.ts'

/** What is set for one upstream from outside its declaration. */
export interface Override {
  /** Replaces the declared origin; may carry a path prefix. */
  readonly origin?: string | undefined
  readonly concurrency?: number | 'adaptive' | undefined
  /** Limit on one attempt, in ms. */
  readonly attemptTimeout?: number | undefined
  /** Whether every call is refused. */
  readonly off?: boolean | undefined
}

export interface RuntimeOptions {
  /** Overrides by the upstream's name. @default {} */
  readonly overrides?: Readonly<Record<string, Override>>
  /** What `env('NAME')` and `proxy: true` of a declaration read, for example `process.env`. @default {} */
  readonly environment?: Variables
  /** How names become addresses. @default `dns.lookup` of Node */
  readonly lookup?: LookupFunction
  /** Is told when an upstream's circuit breaker opens, tries and closes. @default nobody is */
  readonly onBreakerChange?: (change: BreakerChange) => void
  /** Custom layers around every upstream, the outermost first; those of an upstream are inside of them. @default {} */
  readonly layers?: Layers
  /**
   * Where the answers of operations with `cache` are kept; whoever made it closes it.
   * @default a memory store for each upstream, of its `cacheBytes`
   */
  readonly cacheStore?: CacheStore
  /**
   * The threads in which offloaded functions run; there are none where nothing is offloaded.
   * @default those of `ThreadOptions`
   */
  readonly threads?: ThreadOptions
  /** Is told of a thread that ended while it had nothing to do. @default nobody is */
  readonly onThreadError?: (error: Error) => void
  /**
   * Is called with each token that an upstream's token endpoint gave, for a log that must not show it.
   * @default not called
   */
  readonly onToken?: ((token: string) => void) | undefined
  /**
   * Which part of every upstream's bounds this runtime has, where several processes share them.
   * @default all of them
   */
  readonly partition?: Partition | undefined
  /**
   * The factor by which the slots and connections of every upstream are reduced, above 0 and at most 1; each keeps one
   * at least.
   * @default 1
   */
  readonly scale?: number | undefined
}

/**
 * All that lives as long as an app: the pools of its upstreams and the state of their layers. Two runtimes share
 * nothing.
 */
export interface Runtime {
  /** Sends a call through the layers of its upstream. */
  readonly send: Service
  /** Has a function called in a thread. */
  offload(task: Task): Offloaded
  /** What each upstream that was called holds and has counted, by name. */
  stats(): Record<string, Readonly<Counts> & Gauge>
  /** Ends every pool and thread; calls and tasks under way and later ones are rejected with `RUNTIME_CLOSED`. */
  close(): Promise<void>
}

/** Makes a runtime; it opens nothing until a call is sent. */
export function createRuntime({
  overrides = {},
  environment = {},
  lookup = systemLookup,
  layers = {},
  onBreakerChange,
  cacheStore,
  partition,
  scale = 1,
  threads: threadOptions = {},
  onThreadError,
  onToken,
}: RuntimeOptions = {}): Runtime {
  const surroundings = { variables: environment, resolve: createResolve(lookup), onToken }
  const outer = checkLayers('runtime', layers)
  for (const [name, override] of Object.entries(overrides)) checkOverride(name, override)
  const threads = createThreads({ ...checkThreads(threadOptions), onError: onThreadError })
  if (partition !== undefined) checkPartition('runtime', partition)
  if (!(scale > 0 && scale <= 1)) throw new TypeError(`runtime: scale is ${scale}, and must be above 0 and at most 1`)
  if (cacheStore !== undefined) checkStore('runtime', cacheStore)
  const breakerChanged =
    onBreakerChange &&
    ((change: BreakerChange) => {
      ignoreRejection(onBreakerChange(change))
    })
  const clients = new Map<UpstreamSpec, Client>()
  let closed = false

  function open(spec: UpstreamSpec): Client {
    const override = (Object.hasOwn(overrides, spec.name) ? overrides[spec.name] : undefined) ?? {}
    const own = withOverride(
      {
        ...spec,
        layers: { call: [...outer.call, ...spec.layers.call], attempt: [...outer.attempt, ...spec.layers.attempt] },
      },
      override,
    )
    const client = createClient(
      scaledSpec(partition === undefined ? own : partitionSpec(own, partition), scale),
      placeOf(spec, override),
      surroundings,
      { onBreakerChange: breakerChanged, cacheStore },
    )
    clients.set(spec, client)
    return client
  }

  return {
    send: serviceOf((call, taker) => {
      const { upstream } = call.spec
      if (closed) return taker.reject(new UpstreamError('RUNTIME_CLOSED', upstream.name))
      let client = clients.get(upstream)
      if (client === undefined) {
        try {
          client = open(upstream)
        } catch (error) {
          return taker.reject(error)
        }
      }
      client.send(call, taker)
    }),
    offload: task => threads.run(task),
    stats: () =>
      Object.fromEntries(Array.from(clients, ([{ name }, { counts, gauge }]) => [name, { ...counts, ...gauge() }])),
    async close() {
      closed = true
      await Promise.all([threads.close(), ...Array.from(clients.values(), client => client.close())])
    },
  }
}

/** An upstream as it is with what is set for it from outside. */
export function withOverride(
  spec: UpstreamSpec,
  { concurrency = spec.concurrency, attemptTimeout = spec.attemptTimeout }: Override,
): UpstreamSpec {
  return { ...spec, concurrency, attemptTimeout, connections: connectionsFor(concurrency, spec) }
}

/** Sockets enough for other slots than the declared ones, with as many to spare. */
function connectionsFor(concurrency: number | 'adaptive', declared: UpstreamSpec): number {
  if (concurrency === declared.concurrency) return declared.connections
  if (concurrency === 'adaptive') return Math.max(declared.connections, maxAdaptiveConnections)
  return declared.concurrency === 'adaptive'
    ? Math.max(declared.connections, concurrency)
    : declared.connections - declared.concurrency + concurrency
}

function placeOf(spec: UpstreamSpec, { origin, off = false }: Override): UpstreamAddress {
  const url = new URL(origin ?? spec.origin)
  return { url, prefix: url.pathname.replace(/(?<!\/)\/+$/, ''), isTrusted: origin !== undefined, isOff: off }
}

function checkOverride(name: string, { origin, concurrency, attemptTimeout }: Override): void {
  const owner = `upstream '${name}'`
  if (concurrency !== undefined && concurrency !== 'adaptive') wholeNumber(owner, 'concurrency', concurrency)
  if (attemptTimeout !== undefined) wholeNumber(owner, 'attemptTimeout', attemptTimeout, { unit: 'ms' })
  const fault = origin === undefined ? undefined : originFault(origin, true)
  if (fault !== undefined) throw new TypeError(`${owner}: ${fault}`)
}
