import type { Connection } from './connection.ts'
import { ioredisConnection } from './ioredis-connection.ts'
import { nodeRedisConnection } from './node-redis-connection.ts'
import type { RedisClient } from './redis-client.ts'

/**
 * Returns the connection of a client.
 *
 * @throws {TypeError} for any other value, and for a client with options that the shared state cannot use
 */
export function connectionOf(client: RedisClient): Connection {
  checkClient(client)
  return 'call' in client ? ioredisConnection(client) : nodeRedisConnection(client)
}

const expected =
  'redis: client must be a client of ioredis, iovalkey or redis, for example new Redis(url) of ioredis, got'

function checkClient(client: unknown): void {
  if (typeof client !== 'object' || client === null) throw new TypeError(`${expected} ${String(client)}`)
  const { call, sendCommand, duplicate, acquire, options } = client as Readonly<Record<string, unknown>>
  if (typeof acquire === 'function')
    throw new TypeError(
      'redis: client cannot be the Sentinel of the package redis: use ioredis with the option sentinels',
    )
  if ((typeof call !== 'function' && typeof sendCommand !== 'function') || typeof duplicate !== 'function')
    throw new TypeError(`${expected} an object without call or sendCommand, and duplicate`)
  const given = (options ?? {}) as Readonly<Record<string, unknown>>
  const { keyPrefix, scaleReads = 'master', sentinels, tls, enableTLSForSentinelMode, redisOptions } = given
  // The channel of messages has no such prefix, and scripts would answer for other keys than they were sent.
  if (typeof keyPrefix === 'string' && keyPrefix !== '')
    throw new TypeError(
      'redis: client must not have the option keyPrefix: remove it, and set prefix of redisState or ' +
        'HEADWATERS_REDIS_PREFIX',
    )
  if (scaleReads !== 'master')
    throw new TypeError(
      "redis: client must read from primary servers, because a replica lags: set scaleReads to 'master'",
    )
  const ofNodes = (redisOptions ?? {}) as Readonly<Record<string, unknown>>
  if (given['stringNumbers'] === true || ofNodes['stringNumbers'] === true)
    throw new TypeError('redis: client must not have the option stringNumbers, because replies have numbers: remove it')
  // ioredis would send the password and the data in clear text.
  if (sentinels && tls && enableTLSForSentinelMode !== true)
    throw new TypeError(
      'redis: client with Sentinel ignores the option tls: set enableTLSForSentinelMode to true, or remove tls',
    )
}
