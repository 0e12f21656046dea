/**
 * State that several replicas of a service share on Redis or Valkey.
 *
 * @module headwaters/redis
 */
import '../check-node.ts'
export { redisState } from './redis-state.ts'
export type { RedisMemoryOptions, RedisOptions } from './redis-options.ts'
export type { AvailabilityChange } from './commands/availability.ts'
export type { RedisClient } from './commands/redis-client.ts'
export type { SharedState } from '../upstream/shared-state.ts'
