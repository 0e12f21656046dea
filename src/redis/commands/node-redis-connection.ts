import { ignoreRejection } from '../../core/promises.ts'
import type { Connection, ConnectionListener } from './connection.ts'
import type { NodeRedisClient, NodeRedisCluster } from './redis-client.ts'
import { startPings } from './subscriber-pings.ts'

/** The events `connect` and `disconnect` are those of a cluster. A client emits `connect` before it is ready. */
const readyEvents = ['ready', 'connect'] as const
const lostEvents = ['reconnecting', 'end', 'disconnect'] as const

/** Returns the connection of a client or a cluster of `redis`. */
export function nodeRedisConnection(client: NodeRedisClient | NodeRedisCluster): Connection {
  let listener: ConnectionListener | undefined
  let lastError: unknown
  const onReady = () => {
    if (!isReady(client)) return
    lastError = undefined
    listener?.onReady()
  }
  const onLost = () => {
    if (!isReady(client)) listener?.onLost(lastError)
  }
  const onError = (error: unknown) => {
    lastError = error
    onLost()
  }
  for (const event of readyEvents) client.on(event, onReady)
  client.on('error', onError)
  for (const event of lostEvents) client.on(event, onLost)

  return {
    get isReady() {
      return isReady(client)
    },
    isCluster: 'masters' in client,
    // The client does not become ready if the server refuses its database.
    checkDatabase: () => Promise.resolve(),
    // A cluster may send reads to replicas, which lag: each command is sent as a write.
    send: (key, args) =>
      'masters' in client ? client.sendCommand(key, false, [...args]) : client.sendCommand([...args]),
    watch(given) {
      listener = given
    },
    subscribe: (channel, onText, onState) => subscribe(client.duplicate(), channel, onText, onState),
    detach() {
      for (const event of readyEvents) client.off(event, onReady)
      client.off('error', onError)
      for (const event of lostEvents) client.off(event, onLost)
    },
  }
}

function subscribe(
  subscriber: NodeRedisClient | NodeRedisCluster,
  channel: string,
  onText: (text: string) => void,
  onState: (isSubscribed: boolean) => void,
): () => void {
  let isEnded = false
  const state = (isSubscribed: boolean) => {
    if (!isEnded) onState(isSubscribed)
  }
  const listener = (text: string) => {
    if (!isEnded) onText(text)
  }
  const onReady = () => {
    if (isReady(subscriber))
      ignoreRejection(subscriber.subscribe(channel, listener).then(() => state(isReady(subscriber))))
  }
  for (const event of readyEvents) subscriber.on(event, onReady)
  // Without a listener for its errors, the client would throw them.
  for (const event of ['error', ...lostEvents])
    subscriber.on(event, () => {
      if (!isReady(subscriber)) state(false)
    })
  ignoreRejection(subscriber.connect())
  // The subscriber of a cluster has a connection that takes no other commands.
  const stopPings =
    'masters' in subscriber
      ? () => {}
      : startPings(
          () => isReady(subscriber),
          () => subscriber.sendCommand(['PING']),
        )
  return () => {
    isEnded = true
    stopPings()
    if (subscriber.isOpen) subscriber.destroy()
  }
}

/** Version 5 of the package has no `isReady` for a cluster. */
function isReady(client: NodeRedisClient | NodeRedisCluster): boolean {
  return (client as { readonly isReady?: boolean }).isReady ?? client.isOpen
}
