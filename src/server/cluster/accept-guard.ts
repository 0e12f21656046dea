import { subscribe } from 'node:diagnostics_channel'
import { readFileDescriptors, type FileDescriptors } from '../../http/guard/file-descriptors.ts'

export interface AcceptGuardOptions {
  /** Called for each connection that is accepted while few descriptors are left, with the limit of descriptors. */
  readonly onFew: (limit: number) => void
  /** Reads the file descriptors. @default those of this process */
  readonly read?: () => FileDescriptors | undefined
}

/**
 * The process slows down when fewer descriptors are left than a quarter of the limit, or than this number if it is
 * smaller.
 */
const maxReserve = 256
/** The longest wait after one connection, in ms. */
const maxWaitMs = 100
/** Descriptors that are reserved for files and for workers that are started later. */
const spare = 4
/** The diagnostics channel on which Node.js publishes each server that has begun to listen. */
const listenChannel = 'tracing:net.server.listen:asyncEnd'

/** A connection that the primary has accepted. */
interface Accepted {
  close(callback?: () => void): void
}

/** The parts of a Node.js server that are used. They are internal, so each may be missing. */
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
 * connection of the backlog. To prevent this, the process waits after each connection. Meanwhile workers take the
 * accepted connections, and the remaining connections stay in the backlog.
 *
 * Node.js has no function that pauses accepting, so the wait blocks the event loop.
 */
export function guardAccepts({ onFew, read = readFileDescriptors }: AcceptGuardOptions): void {
  /** The number of connections that are accepted and not closed. */
  let held = 0

  /** Replaces the `close` method of a connection until its first call. */
  function close(this: Accepted, callback?: () => void): void {
    held--
    Reflect.deleteProperty(this, 'close')
    this.close(callback)
  }

  subscribe(listenChannel, message => {
    const { server } = message as Listening
    const handle = server?._handle
    if (server === undefined || !handle) return
    // `node:cluster` takes the handle from its server when the server listens, and sets `onconnection` only then.
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
