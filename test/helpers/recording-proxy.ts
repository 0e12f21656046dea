import { connect, createServer, type Socket } from 'node:net'
import type { Test } from 'tap'
import { listenUntilEnd } from './listen-until-end.ts'

export interface RecordingProxy {
  readonly origin: string
  /** The first line of every request head that came, byte by byte. */
  readonly lines: readonly string[]
}

/**
 * Stands before a server and keeps the request lines that a client sends it, as they are on the wire; the requests have
 * no bodies.
 */
export async function recordingProxy(t: Test, origin: string): Promise<RecordingProxy> {
  const { hostname, port } = new URL(origin)
  const sockets = new Set<Socket>()
  const lines: string[] = []

  const server = createServer(inner => {
    const outer = connect(Number(port), hostname)
    let received = ''
    for (const [socket, other] of [
      [inner, outer],
      [outer, inner],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
      socket.pipe(other)
    }
    inner.on('data', (part: Buffer) => {
      const heads = (received + part.toString('latin1')).split('\r\n\r\n')
      received = heads.pop() as string
      for (const head of heads) lines.push(head.split('\r\n', 1)[0] as string)
    })
  })
  return { origin: `http://127.0.0.1:${await listenUntilEnd(t, server, sockets)}`, lines }
}
