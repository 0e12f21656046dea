import type { ClusterNode } from 'ioredis'
import { ignoreRejection } from '../../core/promises.ts'
import type { RedisConfig } from '../../redis-config.ts'
import type { SharedState } from '../../upstream/shared-state.ts'
import type { AvailabilityChange } from '../commands/availability.ts'
import { keepConnected } from '../commands/keep-connected.ts'
import { redisState } from '../redis-state.ts'
import { clientOptions, clusterOptions } from './ioredis-options.ts'

export type { AvailabilityChange } from '../commands/availability.ts'

export interface OpenRedisOptions {
  /** The name of the service, which its workers have in common. */
  readonly service: string
  /** The number of its processes. */
  readonly processes: number
  readonly onAvailabilityChange: (change: AvailabilityChange) => void
}

/**
 * Opens the shared state of a service. Resolves before there is a connection: the service serves without Redis too.
 *
 * @returns The state. `close` also closes the client.
 * @throws `TypeError` if the package `ioredis` is missing or refuses its options. The message names the fix.
 */
export async function openRedis(
  config: RedisConfig,
  { service, processes, onAvailabilityChange }: OpenRedisOptions,
): Promise<SharedState> {
  const { Redis, Cluster } = await loadIoredis()
  const { client, state } = attempt(() => {
    const { nodes } = config.options
    const client =
      nodes === undefined ? new Redis(clientOptions(config)) : new Cluster(checkNodes(nodes), clusterOptions(config))
    const { prefix, patienceMs: patience } = config
    const state = redisState({ client, prefix, patience, replica: service, processes, onAvailabilityChange })
    return { client, state }
  })
  // ioredis writes errors without a listener to stderr. The state reports them as a change of its availability.
  client.on('error', () => {})
  const letEnd = keepConnected(client)
  ignoreRejection(client.connect())
  return {
    ...state,
    async close() {
      await state.close()
      letEnd()
      client.disconnect()
    },
  }
}

async function loadIoredis() {
  try {
    return await import('ioredis')
  } catch (error) {
    throw new TypeError(
      'HEADWATERS_REDIS_URL: the package ioredis cannot be loaded: install it with npm install ioredis, ' +
        'or remove the variables HEADWATERS_REDIS_…',
      { cause: error },
    )
  }
}

/** Returns the result of a function. A `TypeError` for its failure names the variable of the options. */
function attempt<T>(make: () => T): T {
  try {
    return make()
  } catch (error) {
    throw new TypeError(`HEADWATERS_REDIS_OPTIONS: ${(error as Error).message}`, { cause: error })
  }
}

function checkNodes(nodes: unknown): ClusterNode[] {
  if (Array.isArray(nodes) && nodes.length > 0) return nodes as ClusterNode[]
  throw new TypeError('nodes must be a list of servers, for example [{"host":"10.0.0.1","port":6379}]')
}
