import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'

/** The fields of a socket that the sweep reads. */
export type WatchedSocket = Pick<Socket, 'writableLength' | 'bytesWritten' | 'destroy'>

/** The bytes written to a socket when it was first seen with unsent bytes, and the time. */
interface Mark {
  readonly bytes: number
  readonly since: number
}

/** Time between two sweeps, in ms. */
const sweepEvery = 1000

/**
 * Returns a function that takes the current time in ms, and destroys the connections whose caller has not read written
 * bytes for `timeout` ms.
 */
export function slowReaderSweep(connections: ReadonlySet<WatchedSocket>, timeout: number): (now: number) => void {
  const marks = new WeakMap<WatchedSocket, Mark>()
  return now => {
    for (const socket of connections) {
      if (socket.writableLength === 0) continue
      const mark = marks.get(socket)
      // All bytes of the mark were sent after the mark was set, so the unsent bytes are newer: set a new mark.
      if (mark === undefined || socket.bytesWritten - socket.writableLength >= mark.bytes)
        marks.set(socket, { bytes: socket.bytesWritten, since: now })
      else if (now - mark.since >= timeout) socket.destroy()
    }
  }
}

/**
 * Destroys connections whose caller has not read a reply for `timeout` ms. A sweep checks all connections, so that
 * single replies have no extra cost.
 */
export function closeSlowReaders(app: FastifyInstance, connections: ReadonlySet<Socket>, timeout: number): void {
  const sweep = slowReaderSweep(connections, timeout)
  const timer = setInterval(() => sweep(performance.now()), Math.min(timeout, sweepEvery)).unref()
  app.addHook('onClose', (_app, done) => {
    clearInterval(timer)
    done()
  })
}
