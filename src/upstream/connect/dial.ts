import { ADDRCONFIG, type LookupAddress } from 'node:dns'
import { connect, isIP, type Socket } from 'node:net'
import { interleave, raceConnections, type Timers } from './happy-eyeballs.ts'
import type { Resolve } from './resolve.ts'

/**
 * Opens a TCP connection to a name or an address. Returns the function that cancels it; after a cancellation, `done` is
 * not called.
 */
export type Dial = (target: DialTarget, done: DialCallback) => () => void

/** Receives an error, or a connected socket without listeners. */
export type DialCallback = (...result: [error: Error, socket: null] | [error: null, socket: Socket]) => void

export interface DialTarget {
  /** A name, or an IP address without brackets. */
  readonly hostname: string
  readonly port: number
}

/**
 * Returns the target of a URL: the host without the brackets of an IPv6 address, and the port or the default port of
 * the protocol.
 */
export function targetOf({ hostname, port, protocol }: Pick<URL, 'hostname' | 'port' | 'protocol'>): DialTarget {
  return { hostname: hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(port) || (protocol === 'https:' ? 443 : 80) }
}

export interface DialOptions {
  /** Returns the addresses of a name. Only these are dialled. */
  readonly resolve: Resolve
  /** The limit on the connection, in ms. The caller enforces it. */
  readonly timeout: number
}

/** Connection attempt delay (RFC 8305, section 8), in ms: the recommended value and the recommended minimum. */
const attemptDelay = 250
const minAttemptDelay = 100

const timers: Timers<NodeJS.Timeout> = { set: setTimeout, clear: clearTimeout }

/**
 * Creates a dialler that tries all addresses of a name (RFC 8305). The delay between attempts is 250 ms, or shorter if
 * the limit would leave addresses untried, but at least 100 ms.
 */
export function dialer({ resolve, timeout }: DialOptions): Dial {
  return ({ hostname, port }, done) => {
    let isCancelled = false
    let stop = () => {
      isCancelled = true
    }

    function found(error: Error | null, addresses: readonly LookupAddress[]): void {
      if (isCancelled) return
      if (error !== null) return done(error, null)
      const invalid = addresses.find(({ address }) => isIP(address) === 0)
      if (invalid !== undefined)
        return done(
          failure(
            'ERR_INVALID_IP_ADDRESS',
            `${hostname} was resolved to '${invalid.address}', which is not an IP address`,
          ),
          null,
        )
      stop = raceConnections({
        candidates: interleave(addresses.map(({ address }) => ({ address, port, family: isIP(address) }))),
        delay: Math.max(minAttemptDelay, Math.min(attemptDelay, timeout / addresses.length)),
        timers,
        attempt,
        done: (socket, errors) => (socket === undefined ? done(combined(errors, hostname), null) : done(null, socket)),
      })
    }

    if (isIP(hostname) === 0) resolve(hostname, { family: 0, hints: ADDRCONFIG }, found)
    else found(null, [{ address: hostname, family: isIP(hostname) }])
    return () => stop()
  }
}

function attempt(
  { address, port }: { readonly address: string; readonly port: number },
  ended: (error: Error | null, socket?: Socket) => void,
): () => void {
  const socket = connect({ host: address, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 })
  socket.once('error', ended).once('connect', () => {
    socket.off('error', ended)
    ended(null, socket)
  })
  return () => socket.destroy()
}

/**
 * Combines the errors of all attempts. The result has the code of the first error other than EADDRNOTAVAIL. A machine
 * without an address of one family gets EADDRNOTAVAIL at once, which is not evidence about the upstream.
 */
export function combined(errors: readonly CodedError[], hostname: string): Error {
  const [first] = errors as readonly [CodedError]
  if (errors.length === 1) return first
  const { code } = errors.find(({ code }) => code !== 'EADDRNOTAVAIL') ?? first
  return Object.assign(
    new AggregateError(
      errors,
      `no address of ${hostname} accepted a connection: ${errors.map(({ message }) => message).join(', ')}`,
    ),
    { code },
  )
}

type CodedError = Error & { readonly code?: string }

function failure(code: string, message: string): Error {
  return Object.assign(new Error(message), { code })
}
