import { startRedis } from '../../../test/helpers/redis.ts'
import { startSentinels } from '../../../test/helpers/sentinel.ts'
import type { Teardowns } from '../../../test/helpers/teardowns.ts'
import { startChild } from '../../lib/child.ts'
import type { ProxyRequest } from './proxy.ts'

/** A Redis for a group of replicas. */
export interface Store {
  /** The environment of the replicas. */
  readonly variables: Readonly<Record<string, string>>
  readonly faults: readonly StoreFault[]
}

/** A fault that can be turned on and off. */
export interface StoreFault {
  readonly name: string
  begin(): unknown
  end(): unknown
}

/** In place of a fault: shows what a store without a fault costs. */
export const noFault: StoreFault = { name: 'none', begin: () => {}, end: () => {} }

/** A delay in each direction that is longer than half of the patience of a command, in ms. */
const slowMs = 40

/** The starters of the stores, in the order of their measurement. */
export const stores: readonly ((all: Teardowns) => Promise<Store>)[] = [plainStore, proxiedStore, sentinelStore]

/** One server, whose replicas connect to it directly. */
async function plainStore(all: Teardowns): Promise<Store> {
  const redis = await startRedis(all, { tcp: true })
  const admin = await redis.client(all)
  return {
    variables: { HEADWATERS_REDIS_URL: redis.url },
    faults: [
      noFault,
      { name: 'kill -9', begin: () => redis.stop('SIGKILL'), end: () => redis.restart() },
      { name: 'SIGSTOP', begin: () => redis.stop('SIGSTOP'), end: () => redis.stop('SIGCONT') },
      {
        name: 'CLIENT PAUSE',
        begin: () => admin.call('CLIENT', 'PAUSE', '600000', 'WRITE'),
        end: () => admin.call('CLIENT', 'UNPAUSE'),
      },
      {
        name: 'full',
        begin: () => admin.config('SET', 'maxmemory', '1'),
        end: () => admin.config('SET', 'maxmemory', '0'),
      },
    ],
  }
}

/** A server behind proxies that delay commands and exchange their keys. */
async function proxiedStore(all: Teardowns): Promise<Store> {
  const redis = await startRedis(all, { tcp: true })
  // A process of its own, so that the proxies do not wait for the event loop of the load.
  const proxy = await startChild('proxy', new URL('./proxy.ts', import.meta.url), [String(redis.port)], 'any')
  all.teardown(() => proxy.stop())
  const set = (request: ProxyRequest) => proxy.request(request)
  return {
    variables: { HEADWATERS_REDIS_URL: `redis://127.0.0.1:${proxy.port}` },
    faults: [
      noFault,
      { name: 'slow', begin: () => set({ delayMs: slowMs }), end: () => set({ delayMs: 0 }) },
      { name: 'swapped keys', begin: () => set({ mode: 'entries' }), end: () => set({ mode: 'none' }) },
    ],
  }
}

/** A primary and a replica under Sentinel. */
async function sentinelStore(all: Teardowns): Promise<Store> {
  const { primary, clientOptions } = await startSentinels(all)
  return {
    variables: { HEADWATERS_REDIS_OPTIONS: JSON.stringify(clientOptions) },
    faults: [noFault, { name: 'failover', begin: () => primary.stop('SIGKILL'), end: () => primary.restart() }],
  }
}
