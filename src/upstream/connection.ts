import type { Socket } from 'node:net'
import { Client, type buildConnector, type Dispatcher } from 'undici'
import type { Head } from './head.ts'

/** What is sent through a connection: it frees that when it has ended. */
export interface Passenger extends Dispatcher.DispatchHandler {
  connection: Connection | undefined
  /** The connection is lost, and with it whatever was under way on it; in order, after an answer that was said to be the last. */
  lost (isOrderly: boolean): void
  /** Closes the connection. */
  hangUp (): void
}

export interface ConnectionOptions {
  /** How it is opened. */
  readonly connect: buildConnector.connector
  /** Bytes of one answer on the wire; without it, whoever reads it counts. */
  readonly maxBytes?: number
  /** After how long a connection takes its last call, in ms. @default 300000 */
  readonly maxAge?: number
  /** @default 1 */
  readonly pipelining?: number
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
  #socket: Socket | null = null
  readonly #freed: ConnectionOptions['freed']

  constructor (origin: string, { connect, maxBytes = -1, maxAge = 5 * 60_000, pipelining = 1, freed }: ConnectionOptions) {
    super(origin, {
      connect: (place, callback) => connect(place, (...opened) => {
        this.#socket = opened[1]
        callback(...opened)
      }),
      pipelining,
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

  /** True once the present socket has failed, for example by a reset; false where a FIN ended it. */
  get isBroken (): boolean {
    return this.#socket !== null && this.#socket.errored !== null
  }

  override dispatch (options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    // A connection that is never idle would never hear that the name has moved. (undici's `clientTtl` looks at every busy one, on every call.)
    if (this.#isOld) {
      this.#isOld = false
      options.reset = true
    }
    return super.dispatch(options, handler)
  }

  /** Sends it as soon as undici's parser has let go. */
  dispatchLater (options: Dispatcher.DispatchOptions, passenger: Passenger): void {
    queueMicrotask(() => this.dispatch(options, passenger))
  }

  /** Takes one more. */
  carry (_passenger: Passenger): void {}

  /** An answer on it has begun. */
  answered (_head: Head): void {}

  /** Whether somebody who is not wanted any more may stay until the answer has come, for the sake of others. */
  leave (_passenger: Passenger): boolean {
    return false
  }

  /** Nobody on it is wanted any more. */
  abandon (): void {}

  /** What it carried has ended. */
  free (_passenger: Passenger, isSound: boolean): void {
    this.#freed?.(this, isSound)
  }
}
