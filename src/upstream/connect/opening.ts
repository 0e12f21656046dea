import type { Socket } from 'node:net'
import { buildConnector, errors } from 'undici'
import { targetOf, type Dial, type DialCallback, type DialTarget } from './dial.ts'
import { openTunnel } from './tunnel.ts'
import { markConnectError } from './wire-errors.ts'

export interface OpenerOptions {
  readonly dial: Dial
  /** Limit on opening one connection, in ms: name lookup, TCP, tunnel and TLS together. */
  readonly timeout: number
  readonly tls: buildConnector.BuildOptions
  /** The proxy that opens tunnels; without one, the upstream is dialled directly. */
  readonly tunnel?: { readonly proxy: DialTarget; readonly authorization: string | undefined } | undefined
}

/** Opens connections for undici. */
export interface Opener {
  /** Calls back once. Its errors are marked by `markConnectError`. */
  readonly connect: buildConnector.connector
  /** Cancels every connection that is being opened. */
  readonly cancelAll: () => void
}

type Secure = (options: buildConnector.Options, callback: buildConnector.Callback) => Socket

/** Creates an opener of connections, each within `timeout` ms. undici's own timer is late by up to a second. */
export function createOpener({ dial, timeout, tls, tunnel }: OpenerOptions): Opener {
  // Its type hides that it returns the socket. Its TLS session cache belongs to this upstream.
  const secure = buildConnector({ ...tls, timeout: 0 }) as unknown as Secure
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
        opening.startPhase('the TLS handshake did not end')
        const secured = secure({ ...options, httpSocket: socket }, (error, ready) =>
          error === null ? opening.end(null, ready) : opening.end(error, null),
        )
        opening.cancel = () => secured.destroy()
        // After the handshake Node leaves a socket open whose TLS has failed, until the other side closes it.
        secured.on('error', opening.cancel)
      }

      const connected: DialCallback = (error, socket) => {
        if (error !== null) return opening.end(error, null)
        if (!isSecure) return opening.end(null, socket)
        if (tunnel === undefined) return shakeHands(socket)
        opening.startPhase('the proxy made no tunnel')
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
  /** Destroys what has been opened so far. */
  cancel = (): void => {}
  #waitsFor = 'no connection was made'
  #callback: buildConnector.Callback | undefined
  readonly #limit: NodeJS.Timeout
  #lastPoll: NodeJS.Immediate | undefined

  constructor(timeout: number, callback: buildConnector.Callback) {
    this.#callback = callback
    this.#limit = setTimeout(() => {
      // Node runs timers before it polls sockets: a connection that is ready by now still counts.
      this.#lastPoll = setImmediate(() =>
        this.end(new errors.ConnectTimeoutError(`${this.#waitsFor} within ${timeout} ms`), null),
      )
    }, timeout)
  }

  /** Starts the next phase; the timeout error names it. */
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
