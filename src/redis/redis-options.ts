import { randomUUID } from 'node:crypto'
import { wholeNumber } from '../core/bounds.ts'
import { rejectUnknownOptions, type OptionKeys } from '../core/option-keys.ts'
import { checkFunction } from '../core/option-values.ts'
import { redisNameFault } from '../core/redis-name.ts'
import type { AvailabilityChange } from './commands/availability.ts'
import type { RedisClient } from './commands/redis-client.ts'

/** The part of the cache in the memory of a process. */
export interface RedisMemoryOptions {
  /** The largest size of all entries, in bytes. @default 16_777_216 */
  readonly maxBytes?: number
  /**
   * The longest time for which an entry is used without a request to Redis, in ms. It is also the longest time for
   * which another replica can return an answer from before an invalidation, if the message about it is lost.
   * @default 1000
   */
  readonly ttl?: number
}

/** Options of `redisState`. */
export interface RedisOptions {
  /**
   * A client of `ioredis`, `iovalkey` or `redis`, for one server, Sentinel or a cluster. The state adds listeners to it
   * and opens one more connection with its options. It neither connects nor closes the client.
   */
  readonly client: RedisClient
  /**
   * The prefix of all keys: 1 to 64 letters, digits or `.`, `_`, `:`, `-`. Replicas with the same prefix share state.
   * @default 'headwaters'
   */
  readonly prefix?: string
  /**
   * The name of this replica, in the form of `prefix`. Processes with the same name count as one replica.
   * @default a random name
   */
  readonly replica?: string
  /**
   * The number of processes of this replica, from 1 to 1024. Each one has its own state, with the same `replica`. Until
   * a process has seen the others, it divides limits by this number.
   * @default 1
   */
  readonly processes?: number
  /** The part of the cache in the memory of this process; `false` for none. @default the defaults of its fields */
  readonly memory?: RedisMemoryOptions | false
  /** The time that a call waits for one reply of Redis, in ms, from 1 to 10_000. @default 50 */
  readonly patience?: number
  /** The length of a body above which it is compressed, in characters. @default 2048 */
  readonly compressAbove?: number
  /** The largest size of a stored entry, in bytes. A larger one is not stored. @default 1_048_576 */
  readonly maxEntryBytes?: number
  /**
   * Called when Redis is no longer used, and when it is used again. An error that it throws is ignored.
   * @default not called
   */
  readonly onAvailabilityChange?: (change: AvailabilityChange) => void
}

const knownOptions: OptionKeys<RedisOptions> = {
  client: true,
  prefix: true,
  replica: true,
  processes: true,
  memory: true,
  patience: true,
  compressAbove: true,
  maxEntryBytes: true,
  onAvailabilityChange: true,
}

const memoryOptions: OptionKeys<RedisMemoryOptions> = { maxBytes: true, ttl: true }

/** The options of `redisState` with their defaults. */
export interface CheckedRedisOptions {
  readonly client: RedisClient
  readonly prefix: string
  readonly replica: string
  readonly processes: number
  readonly memory: Required<RedisMemoryOptions> | false
  readonly patience: number
  readonly compressAbove: number
  readonly maxEntryBytes: number
  readonly onAvailabilityChange: (change: AvailabilityChange) => void
}

/** Returns the options with their defaults. Throws a `TypeError` that names the option and the fix. */
export function checkRedisOptions(options: RedisOptions): CheckedRedisOptions {
  rejectUnknownOptions('redis', options, knownOptions)
  const { client, prefix = 'headwaters', replica = randomUUID(), onAvailabilityChange } = options
  if (onAvailabilityChange !== undefined)
    checkFunction('redis', 'onAvailabilityChange', onAvailabilityChange, 'change => console.log(change)')
  return {
    client,
    prefix: checkName('prefix', prefix),
    replica: checkName('replica', replica),
    processes: wholeNumber('redis', 'processes', options.processes ?? 1, { max: 1024 }),
    memory: checkMemory(options.memory),
    patience: wholeNumber('redis', 'patience', options.patience ?? 50, { max: 10_000, unit: 'ms' }),
    compressAbove: wholeNumber('redis', 'compressAbove', options.compressAbove ?? 2048, { min: 0 }),
    maxEntryBytes: wholeNumber('redis', 'maxEntryBytes', options.maxEntryBytes ?? 2 ** 20),
    onAvailabilityChange: onAvailabilityChange ?? (() => {}),
  }
}

function checkName(option: string, name: string): string {
  const fault = redisNameFault(name)
  if (fault !== undefined) throw new TypeError(`redis: ${option} ${fault}, got '${String(name)}'`)
  return name
}

function checkMemory(memory: RedisOptions['memory'] = {}): CheckedRedisOptions['memory'] {
  if (memory === false) return false
  rejectUnknownOptions('redis', memory, memoryOptions, { group: 'memory' })
  return {
    maxBytes: wholeNumber('redis', 'memory.maxBytes', memory.maxBytes ?? 16 * 2 ** 20),
    ttl: wholeNumber('redis', 'memory.ttl', memory.ttl ?? 1000, { unit: 'ms' }),
  }
}
