import { Client, Pool, type buildConnector, type Dispatcher } from 'undici'

/** What is told which connection it goes through. */
export interface Through {
  connection: Connection | undefined
}

/** One connection at a time to an origin; it knows whether the present one has served before. */
export class Connection extends Client {
  /** Exchanges begun on the present socket. */
  served = 0
  readonly #maxAge: number
  #since = Infinity

  constructor (origin: URL, options: Client.Options, maxAge: number) {
    super(origin, options)
    this.#maxAge = maxAge
    this.on('connect', () => {
      this.served = 0
      this.#since = Date.now()
    })
    this.on('disconnect', () => { this.#since = Infinity })
  }

  override dispatch (options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler & Partial<Through>): boolean {
    handler.connection = this
    // A connection that is never idle would never hear that the name has moved. (undici's `clientTtl` looks at every busy one, on every call.)
    if (Date.now() - this.#since >= this.#maxAge) options.reset = true
    return super.dispatch(options, handler)
  }
}

export interface PoolOptions {
  /** Sockets at most. */
  readonly connections: number
  /** How each is opened. */
  readonly connect: buildConnector.connector | buildConnector.BuildOptions
  /** Bytes of one answer on the wire; without it, whoever reads it counts. */
  readonly maxBytes?: number
  /** After how long a connection takes its last call, in ms. @default 300000 */
  readonly maxAge?: number
}

/** Opens a pool to an origin: at most so many connections, none before a call needs one. */
export function openPool (origin: string, { connections, connect, maxBytes = -1, maxAge = 5 * 60_000 }: PoolOptions): Pool {
  return new Pool(origin, {
    connections,
    connect,
    factory: (place, options) => new Connection(place, options, maxAge),
    // Our own timers are exact and undici's are late by up to a second, so undici sets none.
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: 16 * 1024,
    maxResponseSize: maxBytes,
    allowH2: false,
  })
}
