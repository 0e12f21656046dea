import { EventEmitter } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { Test } from 'tap'
import { listenUntilEnd } from './listen-until-end.ts'
import { untilEvent } from './until.ts'

export interface Relay {
  readonly port: number
  readonly connections: number
  /** Connections that are open now. */
  readonly open: number
  /** Resolves when no connection is open. */
  readonly deserted: () => Promise<void>
}

/** What becomes of one connection: passed on, or done with as the function says. */
export type Treatment = 'pass' | ((socket: Socket) => unknown)

/**
 * Starts a TCP server before the one on a port. It passes bytes on and keeps what the other end closes open, but for
 * connections that are treated otherwise.
 */
export async function relay(t: Test, to: number, treat: (connection: number) => Treatment): Promise<Relay> {
  const sockets = new Set<Socket>()
  let connections = 0
  const changes = new EventEmitter()

  const server = createServer(inner => {
    const treatment = treat(connections++)
    sockets.add(
      inner
        .on('error', () => {})
        .on('close', () => {
          sockets.delete(inner)
          changes.emit('left')
        }),
    )
    if (treatment !== 'pass') {
      treatment(inner)
      // One that is not read never hears that the other side has closed.
      inner.resume()
      return
    }
    const outer = connect(to, '127.0.0.1').on('error', () => {})
    inner.pipe(outer).pipe(inner, { end: false })
    inner.on('close', () => outer.destroy())
  })
  const port = await listenUntilEnd(t, server, sockets)
  return {
    port,
    get connections() {
      return connections
    },
    get open() {
      return sockets.size
    },
    async deserted() {
      await untilEvent(changes, 'left', () => sockets.size === 0)
    },
  }
}
