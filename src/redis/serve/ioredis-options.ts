import type { RedisConfig } from '../../redis-config.ts'

type Options = Readonly<Record<string, unknown>>

/** The longest time to open a connection, in ms. */
const connectTimeout = 2000

/** The time without a reply after which a connection is replaced, in ms. The probe sends commands more often. */
const socketTimeout = 5000

/** The longest time that a Sentinel has for a reply, in ms. */
const sentinelCommandTimeout = 2000

/** The first and the longest pause before the client connects again, in ms. */
const firstPauseMs = 50
const longestPauseMs = 2000

/** Returns the pause before an attempt to connect, in ms. */
export function retryStrategy(attempt: number): number {
  return Math.min(longestPauseMs, firstPauseMs * 2 ** (attempt - 1))
}

/** No command waits in the client, and none is sent twice. */
const withoutQueue = {
  lazyConnect: true,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
} as const

/** The options of a client of `ioredis` for one server or Sentinel. */
export function clientOptions({ server, options }: Partial<RedisConfig> & Pick<RedisConfig, 'options'>): Options {
  const given = { ...(server !== undefined && addressOptions(server)), ...options }
  return {
    connectTimeout,
    socketTimeout,
    sentinelCommandTimeout,
    // A client that has found a failover by itself does not wait for the end of its connection.
    failoverDetector: true,
    retryStrategy,
    sentinelRetryStrategy: retryStrategy,
    ...sentinelTls(given),
    ...given,
    ...withoutQueue,
    maxRetriesPerRequest: 0,
  }
}

/** The options of a cluster of `ioredis`, with the servers in the option `nodes`. */
export function clusterOptions({ server, options }: RedisConfig): Options {
  const { nodes, redisOptions, username, password, tls, ...ofCluster } = options
  const { db: _db, host: _host, port: _port, ...access } = server === undefined ? {} : addressOptions(server)
  return {
    clusterRetryStrategy: retryStrategy,
    ...ofCluster,
    lazyConnect: true,
    enableOfflineQueue: false,
    // With a delay, ioredis sends a command again when its connection closes. The server may have executed it already,
    // and a script that counts would count twice.
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    redisOptions: {
      connectTimeout,
      socketTimeout,
      // ioredis ignores the protocol of a node, and the access beside redisOptions.
      ...(hasTlsNode(nodes) && { tls: {} }),
      ...access,
      ...definedOptions({ username, password, tls }),
      ...(redisOptions as Options | undefined),
      maxRetriesPerRequest: 0,
    },
  }
}

/** With Sentinel, ioredis uses TLS only if these options say so. */
function sentinelTls({ sentinels, tls }: Options): Options {
  return sentinels && tls ? { enableTLSForSentinelMode: true, sentinelTLS: tls } : {}
}

function hasTlsNode(nodes: unknown): boolean {
  return Array.isArray(nodes) && nodes.some(node => typeof node === 'string' && URL.parse(node)?.protocol === 'rediss:')
}

function definedOptions(options: Options): Options {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

function addressOptions({ host, port, username, password, db, isTls }: NonNullable<RedisConfig['server']>) {
  return {
    host,
    port,
    db,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(isTls && { tls: {} }),
  }
}
