import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'

/** What is asked of a socket. */
export type WatchedSocket = Pick<Socket, 'writableLength' | 'bytesWritten' | 'destroy'>

/** What was written to a socket when it was seen to hold something back, and when that was. */
interface Mark {
  readonly bytes: number
  readonly since: number
}

/** Looked for once in so many ms. */
const sweepEvery = 1000

/**
 * Makes a sweep over connections, told the time in ms, that cuts those on which something was not taken within
 * `timeout` ms.
 */
export function slowReaderSweep(connections: ReadonlySet<WatchedSocket>, timeout: number): (now: number) => void {
  const marks = new WeakMap<WatchedSocket, Mark>()
  return now => {
    for (const socket of connections) {
      if (socket.writableLength === 0) continue
      const mark = marks.get(socket)
      // What was there when it was marked has gone out since, and what is there now is new.
      if (mark === undefined || socket.bytesWritten - socket.writableLength >= mark.bytes)
        marks.set(socket, { bytes: socket.bytesWritten, since: now })
      else if (now - mark.since >= timeout) socket.destroy()
    }
  }
}

/** Cuts callers who do not take what was written to them within `timeout` ms; a reply costs nothing more by it. */
export function closeSlowReaders(app: FastifyInstance, connections: ReadonlySet<Socket>, timeout: number): void {
  const sweep = slowReaderSweep(connections, timeout)
  const timer = setInterval(() => sweep(performance.now()), Math.min(timeout, sweepEvery)).unref()
  app.addHook('onClose', (_app, done) => {
    clearInterval(timer)
    done()
  })
}
