import { subscribe } from 'node:diagnostics_channel'
import { readFileDescriptors, type FileDescriptors } from '../../http/guard/file-descriptors.ts'

export interface AcceptGuardOptions {
  /** Called with the limit for each connection that is accepted while few descriptors are left. */
  readonly onFew: (limit: number) => void
  /** @default those of this process */
  readonly read?: () => FileDescriptors | undefined
}

/**
 * Descriptors at the end of the limit within which the process waits: a quarter of the limit, and at most this number.
 */
const maxReserve = 256
/** Longest wait after one connection, in ms. */
const maxWaitMs = 100
/** Descriptors for workers that are started later, and for files. */
const spare = 4
/** Node.js publishes each server that has begun to listen. */
const listenChannel = 'tracing:net.server.listen:asyncEnd'

/** A connection that the primary has accepted. */
interface Accepted {
  close(callback?: () => void): void
}

/** The parts of a server of Node.js that are used; each may be missing. */
interface Listening {
  readonly server?: {
    readonly _handle?: { onconnection?: (error: number, connection?: Accepted) => void } | null
    once(event: 'listening', listener: () => void): unknown
  }
}

const cell = new Int32Array(new SharedArrayBuffer(4))

/**
 * Makes the primary accept more slowly while few descriptors are left. A connection that was accepted holds a
 * descriptor of the primary until a worker takes it. When the descriptors run out, libuv accepts and closes every
 * connection of the backlog. So the process waits after each connection, which leaves the rest in the backlog while
 * workers take those that were accepted.
 *
 * Node.js has no call that stops a server from accepting, so the wait holds the event loop.
 */
export function guardAccepts({ onFew, read = readFileDescriptors }: AcceptGuardOptions): void {
  /** Connections that are accepted and not closed. */
  let held = 0

  /** Replaces the method of the prototype on a connection until it is called. */
  function close(this: Accepted, callback?: () => void): void {
    held--
    Reflect.deleteProperty(this, 'close')
    this.close(callback)
  }

  subscribe(listenChannel, message => {
    const { server } = message as Listening
    const handle = server?._handle
    if (server === undefined || !handle) return
    // The cluster takes the handle from its server when that listens, and only then sets `onconnection`.
    server.once('listening', () =>
      setImmediate(() => {
        const { onconnection } = handle
        const descriptors = read()
        if (server._handle !== null || typeof onconnection !== 'function' || descriptors === undefined) return
        const { limit, open } = descriptors
        const most = limit - open - spare
        const reserve = Math.min(maxReserve, Math.floor(limit / 4))

        handle.onconnection = (error, connection) => {
          if (connection !== undefined) {
            held++
            connection.close = close
          }
          onconnection.call(handle, error, connection)
          const left = most - held
          if (left > reserve) return
          onFew(limit)
          Atomics.wait(cell, 0, 0, Math.min(maxWaitMs, (reserve / Math.max(1, left)) ** 2))
        }
      }),
    )
  })
}
