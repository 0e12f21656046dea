import type { Socket } from 'node:net'
import type { buildConnector } from 'undici'
import { createConnector, errors } from '../../core/undici.ts'
import { targetOf, type Dial, type DialCallback, type DialTarget } from './dial.ts'
import { openTunnel } from './tunnel.ts'
import { markConnectError } from './wire-errors.ts'

export interface OpenerOptions {
  readonly dial: Dial
  /** The limit on the time to open one connection, in ms. It includes the name lookup, TCP, the tunnel and TLS. */
  readonly timeout: number
  readonly tls: buildConnector.BuildOptions
  /** The proxy that opens tunnels. Without it, the upstream is dialled directly. */
  readonly tunnel?: { readonly proxy: DialTarget; readonly authorization: string | undefined } | undefined
}

/** Opens connections for undici. */
export interface Opener {
  /** Opens a connection and calls back once. Its errors are marked by `markConnectError`. */
  readonly connect: buildConnector.connector
  /** Cancels every connection that is being opened. */
  readonly cancelAll: () => void
}

type Secure = (options: buildConnector.Options, callback: buildConnector.Callback) => Socket

/** Creates an opener that opens each connection within `timeout` ms. The timer of undici can be up to a second late. */
export function createOpener({ dial, timeout, tls, tunnel }: OpenerOptions): Opener {
  // The type of undici hides that the connector returns the socket. Its TLS session cache belongs to this upstream.
  const secure = createConnector({ ...tls, timeout: 0 }) as unknown as Secure
  const openings = new Set<Opening>()

  return {
    connect(options, callback) {
      const opening = new Opening(timeout, (error, socket) => {
        openings.delete(opening)
        if (error === null) callback(null, socket)
        else callback(markConnectError(error), null)
      })
      openings.add(opening)
      const isSecure = options.protocol === 'https:'

      function shakeHands(socket: Socket): void {
        opening.startPhase('the TLS handshake was not completed')
        const secured = secure({ ...options, httpSocket: socket }, (error, ready) =>
          error === null ? opening.end(null, ready) : opening.end(error, null),
        )
        opening.cancel = () => secured.destroy()
        // After the handshake Node.js does not close a socket whose TLS has failed, until the other side closes it.
        secured.on('error', opening.cancel)
      }

      const connected: DialCallback = (error, socket) => {
        if (error !== null) return opening.end(error, null)
        if (!isSecure) return opening.end(null, socket)
        if (tunnel === undefined) return shakeHands(socket)
        opening.startPhase('the proxy did not open a tunnel')
        const host = options.host as string
        opening.cancel = openTunnel(
          socket,
          { target: options.port === '' ? `${host}:443` : host, authorization: tunnel.authorization },
          refusal => {
            if (refusal === null) shakeHands(socket)
            else opening.end(refusal, null)
          },
        )
      }

      opening.cancel = dial(tunnel?.proxy ?? targetOf(options), connected)
    },
    cancelAll() {
      for (const opening of openings) opening.end(new errors.ClientDestroyedError(), null)
    },
  }
}

/** One connection that is being opened. */
class Opening {
  /** Cancels the present phase and destroys its socket. */
  cancel = (): void => {}
  #waitsFor = 'no connection was established'
  #callback: buildConnector.Callback | undefined
  readonly #limit: NodeJS.Timeout
  #lastPoll: NodeJS.Immediate | undefined

  constructor(timeout: number, callback: buildConnector.Callback) {
    this.#callback = callback
    this.#limit = setTimeout(() => {
      // Node.js runs timers before it polls sockets. A connection that is ready by now still counts.
      this.#lastPoll = setImmediate(() =>
        this.end(new errors.ConnectTimeoutError(`${this.#waitsFor} within ${timeout} ms`), null),
      )
    }, timeout)
  }

  /** Starts the next phase. The timeout error names it. */
  startPhase(waitsFor: string): void {
    this.#waitsFor = waitsFor
  }

  end(...opened: Parameters<buildConnector.Callback>): void {
    const callback = this.#callback
    if (callback === undefined) return
    this.#callback = undefined
    clearTimeout(this.#limit)
    clearImmediate(this.#lastPoll)
    if (opened[0] !== null) this.cancel()
    callback(...opened)
  }
}
