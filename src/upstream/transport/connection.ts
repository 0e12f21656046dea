import type { Socket } from 'node:net'
import type { buildConnector, Dispatcher } from 'undici'
import { Client } from '../../core/undici.ts'
import type { ResponseHeaders } from './response-headers.ts'
import type { QueueNode } from '../../core/linked-queue.ts'
import { hasUnread } from './unread.ts'
import { defaultMaxHeaderBytes, WireLimit } from './wire-limit.ts'

/**
 * A close within this time after the last request is early, in ms. Upstreams keep idle connections longer than this.
 */
const earlyMs = 2000

/** undici's code for a socket that undici closed: for `connection: close`, or because a request was cancelled. */
const closedByClient = 'UND_ERR_INFO'

/** Handles one request. The request waits in the queue of the pool first, and releases its connection when it ends. */
export interface RequestHandler extends Dispatcher.DispatchHandler, QueueNode<RequestHandler> {
  readonly options: Dispatcher.DispatchOptions
  /** True if the request may change something at the upstream. */
  readonly isUnsafe: boolean
  /** True if the request needs a connection that has not served before. */
  readonly needsNew: boolean
  /** The connection to which the request is assigned. */
  connection: Connection | undefined
  /**
   * Called when the connection closes before the response. `isOrderly` is true after a response with `connection:
   * close`.
   */
  connectionLost(isOrderly: boolean): void
  /** Rejects the request with the result of `reason` if it has not been written. */
  rejectIfUnsent(reason: () => unknown): void
  /** Closes the connection. */
  closeConnection(): void
}

export interface ConnectionOptions {
  /** Opens a socket. */
  readonly connect: buildConnector.connector
  /** The limit on the body of one response, in bytes. @default no limit */
  readonly maxBytes?: number
  /** The limit on the names and values of the headers of one response, in bytes. @default 16384 */
  readonly maxHeaderBytes?: number
  /** Age after which a connection takes its last request, in ms. @default 300000 */
  readonly maxAge?: number
  /** @default 1 */
  readonly pipelining?: number
  /** Called when all requests on the connection have ended. */
  readonly onIdle?: (connection: Connection) => void
  /**
   * Called when the upstream closes the connection soon after a response that did not announce it. The next request may
   * already be in flight.
   */
  readonly onEarlyClose?: () => void
}

const nothing = () => {}

/** A connection to an origin. If its socket has closed, it opens a new socket for the next request. */
export class Connection extends Client {
  /** The number of requests sent on the present socket. */
  served = 0
  /** True if a socket is open, as far as undici has noticed. */
  isConnected = false
  /** The time at which its last request ended, in ms. */
  idleSince = 0
  readonly wireLimit: WireLimit
  /** The number of requests that were sent and have not ended. */
  #inFlight = 0
  #isOld = false
  /**
   * True if a request on the present socket has failed. The close of such a socket is not evidence about idle
   * connections.
   */
  #hasFailed = false
  #timer: NodeJS.Timeout | undefined
  #socket: Socket | undefined
  /** The time of the last assignment, in ms. */
  #assignedAt = 0
  /** The request that was assigned last; `undefined` when all have ended. */
  #assigned: RequestHandler | undefined
  readonly #onIdle: (connection: Connection) => void
  readonly #onEarlyClose: () => void

  constructor(
    origin: string,
    {
      connect,
      maxBytes = -1,
      maxHeaderBytes = defaultMaxHeaderBytes,
      maxAge = 5 * 60_000,
      pipelining = 1,
      onIdle = nothing,
      onEarlyClose = nothing,
    }: ConnectionOptions,
  ) {
    super(origin, {
      connect: (target, callback) =>
        connect(target, (...opened) => {
          this.#socket = opened[1] ?? undefined
          if (opened[1] !== null) this.wireLimit.watch(opened[1])
          callback(...opened)
        }),
      pipelining,
      // The timers of Headwaters are exact. The timers of undici can be up to a second late, so they are off.
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: maxHeaderBytes,
      maxResponseSize: maxBytes,
      allowH2: false,
    })
    this.wireLimit = new WireLimit(maxHeaderBytes)
    this.#onIdle = onIdle
    this.#onEarlyClose = onEarlyClose
    this.on('connect', () => {
      this.served = 0
      this.isConnected = true
      this.#hasFailed = false
      this.#isOld = maxAge === 0
      if (maxAge > 0)
        this.#timer = setTimeout(() => {
          this.#isOld = true
        }, maxAge).unref()
    })
    this.on('disconnect', (_origin, _targets, { code }: Error & { readonly code?: string }) => {
      if (code !== closedByClient && this.#isIdle && performance.now() - this.#assignedAt < earlyMs)
        this.#onEarlyClose()
      this.isConnected = false
      this.#isOld = false
      clearTimeout(this.#timer)
    })
  }

  protected get socket(): Socket | undefined {
    return this.#socket
  }

  /** True if the present socket has served a request, and no request is in flight on it. */
  get #isIdle(): boolean {
    return this.isConnected && this.served > 0 && this.#inFlight === 0 && !this.#hasFailed
  }

  /** True if the socket is closing or has closed. A request would wait until a new socket has opened. */
  get isClosing(): boolean {
    return this.#socket?.destroyed === true
  }

  /** True if the present socket has failed, for example by a reset; false if a FIN ended it. */
  get isBroken(): boolean {
    return this.#socket !== undefined && this.#socket.errored !== null
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    // A connection that is never idle would never use a new address of its name, so it closes at its maximum age.
    // (undici's `clientTtl` checks every busy connection on every call.)
    if (this.#isOld) {
      this.#isOld = false
      options.reset = true
    }
    return super.dispatch(options, handler)
  }

  /**
   * True if the idle socket has data or an end that undici has not read. A request that is written now would get it as
   * its response. The event loop has polled the socket since the last response. But a busy turn takes some ms, so the
   * socket is read once more.
   */
  get isStale(): boolean {
    if (this.#inFlight > 0) return false
    const isStale = hasUnread(this.#socket)
    if (isStale && this.served > 0) this.#onEarlyClose()
    return isStale
  }

  /** Counts a request that is about to be written. Returns whether the socket has served a request before. */
  requestStarted(): boolean {
    this.#inFlight++
    return this.served++ > 0
  }

  /** Counts the end of a written request. `isSound` is true if its response ended correctly. */
  requestEnded(isSound: boolean): void {
    this.#inFlight--
    this.wireLimit.reset()
    if (!isSound) this.#hasFailed = true
  }

  /** Closes the idle socket, so that the next request opens a new one. */
  replaceSocket(): void {
    this.isConnected = false
    this.#socket?.destroy()
  }

  /** Assigns a request to the connection, at the time `now`. */
  assign(handler: RequestHandler, now: number): void {
    this.#assignedAt = now
    this.#assigned = handler
  }

  /** Rejects the assigned request if it has not been written yet because its socket is being opened. */
  rejectUnsent(reason: () => unknown): void {
    this.#assigned?.rejectIfUnsent(reason)
  }

  /** Called when the headers of a response have arrived. */
  headersReceived(_head: ResponseHeaders): void {}

  /**
   * Returns whether an abandoned request stays until its response has arrived, because other requests share the
   * connection.
   */
  linger(_handler: RequestHandler): boolean {
    return false
  }

  /** Closes the connection if all its requests are abandoned. */
  closeIfUnwanted(): void {}

  /** Removes a request that has ended from the connection. */
  release(_handler: RequestHandler, _isSound: boolean): void {
    this.idleSince = performance.now()
    this.#assigned = undefined
    this.#onIdle(this)
  }

  /** Records that the upstream closed the connection as idle while a request was in flight. */
  recordIdleClose(): void {
    this.#onEarlyClose()
  }
}
