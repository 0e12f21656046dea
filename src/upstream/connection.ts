import { Client, type buildConnector, type Dispatcher } from 'undici'

export interface ConnectionOptions {
  /** How it is opened. */
  readonly connect: buildConnector.connector | buildConnector.BuildOptions
  /** Bytes of one answer on the wire; without it, whoever reads it counts. */
  readonly maxBytes?: number
  /** After how long a connection takes its last call, in ms. @default 300000 */
  readonly maxAge?: number
  /** Hears that it can take the next call; and whether it is still open, as far as is known. */
  readonly freed?: (connection: Connection, isSound: boolean) => void
}

/**
 * The connection whose bytes are parsed at this moment. undici has one parser for all of them, and sending on another connection would
 * read what has come there: within the parser that must not be.
 */
export const parsing: { connection: Connection | undefined } = { connection: undefined }

/** One connection at a time to an origin; it knows whether the present one has served before, and when it is old. */
export class Connection extends Client {
  /** Exchanges begun on the present socket. */
  served = 0
  #isOld = false
  #timer: NodeJS.Timeout | undefined
  readonly #freed: ConnectionOptions['freed']

  constructor (origin: string, { connect, maxBytes = -1, maxAge = 5 * 60_000, freed }: ConnectionOptions) {
    super(origin, {
      connect,
      // Our own timers are exact and undici's are late by up to a second, so undici sets none.
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: 16 * 1024,
      maxResponseSize: maxBytes,
      allowH2: false,
    })
    this.#freed = freed
    this.on('connect', () => {
      this.served = 0
      this.#isOld = maxAge === 0
      if (maxAge > 0) this.#timer = setTimeout(() => { this.#isOld = true }, maxAge).unref()
    })
    this.on('disconnect', () => {
      this.#isOld = false
      clearTimeout(this.#timer)
    })
  }

  override dispatch (options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    // A connection that is never idle would never hear that the name has moved. (undici's `clientTtl` looks at every busy one, on every call.)
    if (this.#isOld) {
      this.#isOld = false
      options.reset = true
    }
    return super.dispatch(options, handler)
  }

  /** What it carried has ended. */
  free (isSound: boolean): void {
    this.#freed?.(this, isSound)
  }
}
