import type { SharedState } from '../upstream/shared-state.ts'
import { createRedisCacheStore } from './cache/redis-cache-store.ts'
import { connectionOf } from './commands/client.ts'
import { Commands } from './commands/commands.ts'
import { keysOf } from './commands/keys.ts'
import { Budgets } from './limits/budgets.ts'
import { Members } from './limits/members.ts'
import { createRateLimits } from './limits/rate-limit.ts'
import { checkRedisOptions, type RedisOptions } from './redis-options.ts'

/**
 * Creates the state that replicas of a service share on Redis: the cache, the leases of coalesced calls, the rate limit
 * and the retry budgets. No call fails because of Redis: while Redis is slow, down or full, each replica works alone.
 *
 * @param options The client, and the limits of the state.
 * @returns The state, for the option `shared` of `createRuntime` or `buildApp`. Close it after the runtime, and then
 *   close the client.
 * @throws `TypeError` for an option that is wrong, and for a client with options that the state cannot use.
 * @example
 * ```ts
 * import { Redis } from 'ioredis'
 * import { createRuntime } from 'headwaters'
 * import { redisState } from 'headwaters/redis'
 *
 * const client = new Redis('redis://127.0.0.1:6379', {
 *   enableOfflineQueue: false,
 *   autoResendUnfulfilledCommands: false,
 *   maxRetriesPerRequest: 0,
 *   socketTimeout: 5000,
 * })
 * const shared = redisState({ client, prefix: 'shop' })
 * const runtime = createRuntime({ shared })
 *
 * // At the end
 * await runtime.close()
 * await shared.close()
 * client.disconnect()
 * ```
 */
export function redisState(options: RedisOptions): SharedState {
  const { client, prefix, replica, processes, memory, patience, compressAbove, maxEntryBytes, onAvailabilityChange } =
    checkRedisOptions(options)
  const connection = connectionOf(client)
  const keys = keysOf(prefix)
  const commands = new Commands({ connection, keys, patienceMs: patience, onChange: onAvailabilityChange })
  const cache = createRedisCacheStore({
    commands,
    connection,
    keys,
    patienceMs: patience,
    memory,
    compressAbove,
    maxEntryBytes,
  })
  const members = new Members({
    commands,
    key: keys.members,
    service: replica,
    patienceMs: patience,
    ownProcesses: processes,
  })
  const budgets = new Budgets({ commands, keyOf: keys.budget, replicas: members })
  return {
    cacheStore: cache.store,
    rateLimit: createRateLimits({ commands, keyOf: keys.client, replicas: members, patienceMs: patience }),
    replicas: members,
    shareBudget: (upstream, budget) => budgets.share(upstream, budget),
    gauge: () => ({
      isAvailable: commands.isAvailable,
      replicas: members.services.count,
      commands: { ...commands.counts },
      ...cache.gauge(),
    }),
    async close() {
      budgets.close()
      await Promise.all([members.close(), cache.close()])
      commands.close()
    },
  }
}
