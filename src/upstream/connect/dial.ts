import { ADDRCONFIG, type LookupAddress } from 'node:dns'
import { connect, isIP, type Socket } from 'node:net'
import { interleave, raceConnections, type Timers } from './happy-eyeballs.ts'
import type { Resolve } from './resolve.ts'

/**
 * Opens a TCP connection to a name or an address; returns the function that gives it up, after which `done` is not
 * called.
 */
export type Dial = (target: DialTarget, done: DialCallback) => () => void

/** Takes an error or a connected socket that has no listeners. */
export type DialCallback = (...result: [error: Error, socket: null] | [error: null, socket: Socket]) => void

export interface DialTarget {
  /** A name, or an IP address without brackets. */
  readonly hostname: string
  readonly port: number
}

/** Reads the target of a URL: without brackets around an IPv6 address, and with the default port of its protocol. */
export function targetOf({ hostname, port, protocol }: Pick<URL, 'hostname' | 'port' | 'protocol'>): DialTarget {
  return { hostname: hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(port) || (protocol === 'https:' ? 443 : 80) }
}

export interface DialOptions {
  /** Finds the addresses of a name; only what it gives is dialled. */
  readonly resolve: Resolve
  /** Limit within which a connection is wanted, in ms; the caller enforces it. */
  readonly timeout: number
}

/** Connection attempt delay (RFC 8305, section 8), in ms: what is recommended, and the recommended minimum. */
const attemptDelay = 250
const minAttemptDelay = 100

const timers: Timers<NodeJS.Timeout> = { set: setTimeout, clear: clearTimeout }

/**
 * Makes a dialler that tries all addresses of a name (RFC 8305). Where a limit would leave addresses untried after 250
 * ms each, the attempts follow each other faster, but not faster than every 100 ms.
 */
export function dialer({ resolve, timeout }: DialOptions): Dial {
  return ({ hostname, port }, done) => {
    let isOver = false
    let stop = () => {
      isOver = true
    }

    function found(error: Error | null, addresses: readonly LookupAddress[]): void {
      if (isOver) return
      if (error !== null) return done(error, null)
      const stranger = addresses.find(({ address }) => isIP(address) === 0)
      if (stranger !== undefined)
        return done(
          failure(
            'ERR_INVALID_IP_ADDRESS',
            `${hostname} was resolved to '${stranger.address}', which is not an IP address`,
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
 * Makes one error of those of all attempts. It has the code of the first, but for EADDRNOTAVAIL: a machine without an
 * address of one family has it at once, which says nothing of the upstream.
 */
export function combined(errors: readonly CodedError[], hostname: string): Error {
  const [first] = errors as readonly [CodedError]
  if (errors.length === 1) return first
  const { code } = errors.find(({ code }) => code !== 'EADDRNOTAVAIL') ?? first
  return Object.assign(
    new AggregateError(
      errors,
      `no address of ${hostname} took a connection: ${errors.map(({ message }) => message).join(', ')}`,
    ),
    { code },
  )
}

type CodedError = Error & { readonly code?: string }

function failure(code: string, message: string): Error {
  return Object.assign(new Error(message), { code })
}
