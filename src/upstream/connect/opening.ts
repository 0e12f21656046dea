import type { Socket } from 'node:net'
import { buildConnector, errors } from 'undici'
import { targetOf, type Dial, type DialCallback, type DialTarget } from './dial.ts'
import { openTunnel } from './tunnel.ts'
import { whileConnecting } from '../transport/wire-errors.ts'

export interface OpenerOptions {
  readonly dial: Dial
  /** Limit on opening one connection: name, TCP, tunnel and TLS together, in ms. */
  readonly timeout: number
  /** How TLS is spoken. */
  readonly tls: buildConnector.BuildOptions
  /** The proxy that makes tunnels; without one, the upstream is dialled itself. */
  readonly tunnel?: { readonly proxy: DialTarget; readonly authorization: string | undefined } | undefined
}

/** Opens connections for undici. */
export interface Opener {
  /** Calls back once. An error is marked as one of connecting: nothing of a request was sent. */
  readonly connect: buildConnector.connector
  /** Gives up every connection that is being opened; for when nothing waits for one any more. */
  readonly cancelAll: () => void
}

type Secure = (options: buildConnector.Options, callback: buildConnector.Callback) => Socket

/** Makes what opens connections, each within `timeout` ms. undici's own timer is late by up to a second. */
export function createOpener({ dial, timeout, tls, tunnel }: OpenerOptions): Opener {
  // Its type hides that it gives the socket. Its session cache belongs to this upstream.
  const secure = buildConnector({ ...tls, timeout: 0 }) as unknown as Secure
  const openings = new Set<Opening>()

  return {
    connect(options, callback) {
      const opening = new Opening(timeout, (error, socket) => {
        openings.delete(opening)
        if (error === null) callback(null, socket)
        else callback(whileConnecting(error), null)
      })
      openings.add(opening)
      const isSecure = options.protocol === 'https:'

      function shakeHands(socket: Socket): void {
        opening.begin('the TLS handshake did not end')
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
        opening.begin('the proxy made no tunnel')
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
  #last: NodeJS.Immediate | undefined

  constructor(timeout: number, callback: buildConnector.Callback) {
    this.#callback = callback
    this.#limit = setTimeout(() => {
      // Timers come before sockets: a connection that is there by now is taken.
      this.#last = setImmediate(() =>
        this.end(new errors.ConnectTimeoutError(`${this.#waitsFor} within ${timeout} ms`), null),
      )
    }, timeout)
  }

  /** Begins the next phase, which the error names if the limit passes in it. */
  begin(waitsFor: string): void {
    this.#waitsFor = waitsFor
  }

  end(...opened: Parameters<buildConnector.Callback>): void {
    const callback = this.#callback
    if (callback === undefined) return
    this.#callback = undefined
    clearTimeout(this.#limit)
    clearImmediate(this.#last)
    if (opened[0] !== null) this.cancel()
    callback(...opened)
  }
}
