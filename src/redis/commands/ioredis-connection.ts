import { ignoreRejection } from '../../core/promises.ts'
import type { Connection, ConnectionListener } from './connection.ts'
import { keepConnected } from './keep-connected.ts'
import type { IoredisClient } from './redis-client.ts'
import { startPings } from './subscriber-pings.ts'

const lostEvents = ['close', 'reconnecting', 'end'] as const

/** Returns the connection of a client of `ioredis` or `iovalkey`. */
export function ioredisConnection(client: IoredisClient): Connection {
  let listener: ConnectionListener | undefined
  let lastError: unknown
  /** The reason why the connection does not use the database of the client. */
  let elsewhere: Error | undefined
  const onReady = () => {
    lastError = elsewhere = undefined
    listener?.onReady()
  }
  const onLost = () => {
    if (client.status !== 'ready') listener?.onLost(lastError)
  }
  const onError = (error: unknown) => {
    lastError = error
    onLost()
  }
  client.on('ready', onReady)
  client.on('error', onError)
  for (const event of lostEvents) client.on(event, onLost)

  return {
    get isReady() {
      return client.status === 'ready'
    },
    isCluster: isCluster(client),
    async checkDatabase() {
      const database = databaseOf(client)
      if (database === '0') return
      try {
        await client.call('select', database)
        elsewhere = undefined
      } catch (error) {
        elsewhere = error as Error
        throw error
      }
    },
    async send(_key, args) {
      if (elsewhere !== undefined) throw elsewhere
      const [command, ...rest] = args as [string, ...string[]]
      return client.call(command, ...rest)
    },
    watch(given) {
      listener = given
    },
    subscribe: (channel, onText, onState) => subscribe(client.duplicate(), channel, onText, onState),
    detach() {
      client.off('ready', onReady)
      client.off('error', onError)
      for (const event of lostEvents) client.off(event, onLost)
    },
  }
}

function subscribe(
  subscriber: IoredisClient,
  channel: string,
  onText: (text: string) => void,
  onState: (isSubscribed: boolean) => void,
): () => void {
  const isReady = () => subscriber.status === 'ready'
  const onReady = () => {
    ignoreRejection(subscriber.subscribe(channel).then(() => onState(isReady())))
  }
  const onLost = () => onState(false)
  const onMessage = (from: string, text: string) => {
    if (from === channel) onText(text)
  }
  subscriber.on('ready', onReady)
  subscriber.on('message', onMessage)
  for (const event of lostEvents) subscriber.on(event, onLost)
  subscriber.on('error', () => {})
  const letEnd = keepConnected(subscriber)
  // The subscriber of a cluster has a connection that takes no other commands.
  const stopPings = isCluster(subscriber) ? () => {} : startPings(isReady, () => subscriber.call('ping'))
  // A client with lazyConnect does not connect by itself.
  if (subscriber.status === 'wait') ignoreRejection(subscriber.connect())
  return () => {
    stopPings()
    letEnd()
    subscriber.off('ready', onReady)
    subscriber.off('message', onMessage)
    for (const event of lostEvents) subscriber.off(event, onLost)
    subscriber.disconnect()
  }
}

function isCluster(client: IoredisClient): boolean {
  return (client as { readonly isCluster?: boolean }).isCluster === true
}

/** Returns the number of the database that the client is to use. It uses 0 if the server refuses that one. */
function databaseOf(client: IoredisClient): string {
  const { condition, options } = client as {
    readonly condition?: { readonly select?: number | string } | null
    readonly options?: { readonly db?: number | string }
  }
  return String(condition?.select ?? options?.db ?? 0)
}
