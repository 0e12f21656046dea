/** A listener of a client. Its parameters depend on the event. */
// oxlint-disable-next-line typescript/no-explicit-any -- the listeners of the packages have parameters of several types
type RedisListener = (...args: any[]) => void

/** The functions that are used of a client of `ioredis` or `iovalkey`. Its class `Cluster` has them too. */
export interface IoredisClient {
  readonly status: string
  call(command: string, ...args: string[]): Promise<unknown>
  connect(): Promise<unknown>
  duplicate(): IoredisClient
  subscribe(channel: string): Promise<unknown>
  disconnect(): void
  on(event: string, listener: RedisListener): unknown
  off(event: string, listener: RedisListener): unknown
}

/** The functions that a client and a cluster of `redis` have in common. */
interface NodeRedis<Client> {
  readonly isOpen: boolean
  connect(): Promise<unknown>
  duplicate(): Client
  subscribe(channel: string, listener: (text: string, channel: string) => void): Promise<unknown>
  destroy(): void
  on(event: string, listener: RedisListener): unknown
  off(event: string, listener: RedisListener): unknown
}

/** The functions that are used of a client of `redis`. */
export interface NodeRedisClient extends NodeRedis<NodeRedisClient> {
  readonly isReady: boolean
  sendCommand(args: string[]): Promise<unknown>
}

/** The functions that are used of a cluster of `redis`. */
export interface NodeRedisCluster extends NodeRedis<NodeRedisCluster> {
  readonly masters: unknown
  sendCommand(firstKey: string | undefined, isReadonly: boolean | undefined, args: string[]): Promise<unknown>
}

/** A client of `ioredis`, `iovalkey` or `redis`, for one server, Sentinel or a cluster. */
export type RedisClient = IoredisClient | NodeRedisClient | NodeRedisCluster
