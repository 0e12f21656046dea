import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { isIPv6, SocketAddress, type Server } from 'node:net'
import { backlog } from '../process/listen.ts'

/** The diagnostics channel on which Node.js publishes each server that is about to listen. */
const listenChannel = 'tracing:net.server.listen:asyncStart'

/** The largest number of connections that wait for a worker. Further ones are closed. */
const maxWaiting = 1024

interface Connection {
  close(): void
}

interface Address {
  readonly address: string
  readonly port: number
}

/** The internal handle of a listening socket. */
interface Handle {
  onconnection: (error: number, connection?: Connection) => void
  close(callback?: () => void): void
  getsockname(out: object): number
}

/** A server with its internal handle. */
interface Listening {
  _handle: Handle | null
}

/** The arguments of `listen`, as Node.js publishes them. */
interface ListenMessage {
  readonly server: Listening & Pick<Server, 'once'>
  readonly options: { readonly host?: unknown; readonly port?: unknown }
}

/** A socket that stays open, and its users in turn. */
interface Lent {
  readonly handle: Handle
  readonly address: Address
  /** The server that listened first. */
  readonly owner: Server
  /** The connections that wait while the socket has no user; undefined while it has one. */
  waiting: Connection[] | undefined
  /** Resolves when `node:cluster` does not use the socket. */
  free: Promise<void>
  onFree: () => void
}

/**
 * The listening sockets of servers of this process, which it lends to `node:cluster`. When a worker listens at the
 * address of such a socket, `node:cluster` in this process would open a second socket, and fail, because the port is in
 * use. It gets the open socket instead: from then on it accepts the connections, and passes them to the worker. When
 * its last worker has exited, it closes the socket. The socket then stays open here, and connections wait for the next
 * worker.
 *
 * Node.js has no function for this, so it uses the internal handle of a server: a server that has a handle when it
 * listens uses that one.
 */
export class LentSockets {
  readonly #lent: Lent[]

  constructor(servers: readonly Server[]) {
    this.#lent = servers.flatMap(owner => {
      const { _handle: handle } = owner as unknown as Listening
      if (!handle) return []
      const address = {} as Address
      handle.getsockname(address)
      return [{ handle, address, owner, waiting: undefined, free: Promise.resolve(), onFree() {} }]
    })
    for (const lent of this.#lent) lent.handle.close = () => this.#hold(lent)
    subscribe(listenChannel, this.#onListen)
  }

  /**
   * Gives the sockets back to the servers that listened first, when the workers have exited. Resolves when they accept
   * again.
   */
  async takeBack(): Promise<void> {
    await Promise.all(
      this.#lent.map(async lent => {
        await lent.free
        const {
          waiting,
          owner,
          address: { address: host, port },
        } = lent
        if (waiting === undefined) return
        const listening = once(owner, 'listening')
        owner.listen({ host, port, backlog })
        await listening
      }),
    )
  }

  /** Ends the lending: the present users close the sockets. */
  release(): void {
    unsubscribe(listenChannel, this.#onListen)
    for (const { handle, waiting } of this.#lent) {
      Reflect.deleteProperty(handle, 'close')
      if (waiting === undefined) continue
      for (const connection of waiting) connection.close()
      handle.close()
    }
  }

  readonly #onListen = (message: unknown): void => {
    const { server, options } = message as ListenMessage
    const lent = this.#lent.find(
      ({ address, owner, waiting }) =>
        address.address === shortened(options.host) &&
        address.port === options.port &&
        (waiting !== undefined || (owner as unknown as Listening)._handle !== null),
    )
    if (lent === undefined) return
    const { handle, owner, waiting = [] } = lent
    ;(owner as unknown as Listening)._handle = null
    server._handle = handle
    lent.waiting = undefined
    if (server !== (owner as unknown)) ({ promise: lent.free, resolve: lent.onFree } = Promise.withResolvers<void>())
    // `node:cluster` begins to accept when its server listens.
    server.once('listening', () =>
      setImmediate(() => {
        for (const connection of waiting) handle.onconnection(0, connection)
      }),
    )
  }

  #hold(lent: Lent): void {
    const waiting: Connection[] = []
    lent.waiting = waiting
    lent.onFree()
    lent.handle.onconnection = (_error, connection) => {
      if (connection === undefined) return
      if (waiting.length < maxWaiting) waiting.push(connection)
      else connection.close()
    }
  }
}

/** Returns an IPv6 address in the form in which the system reports it; another host as it is. */
function shortened(host: unknown): unknown {
  return typeof host === 'string' && isIPv6(host) ? new SocketAddress({ address: host, family: 'ipv6' }).address : host
}
