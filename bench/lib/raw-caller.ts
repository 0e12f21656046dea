import { connect, type Socket } from 'node:net'
import type { CompletedRequest } from './http-caller.ts'

/** Connections that are opened together. */
const batchSize = 16

/** A connection with the request that waits for its reply. */
interface Connection {
  readonly socket: Socket
  dueAt: number
  end: () => void
  /** Bytes of the reply that have not arrived. Negative before its head. */
  left: number
  status: number
}

/**
 * Creates a client like `httpCaller`, for high rates: it writes a prepared GET to a socket and reads only the status and
 * the length of the reply. So it uses a fraction of the CPU time of an HTTP client, which shares its core with the
 * upstream. A reply must have a `content-length`, and its head must arrive in one piece.
 */
export function rawCaller(port: number, path: string) {
  const bytes = Buffer.from(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\naccept: */*\r\n\r\n`)
  const idle: Connection[] = []
  const open = new Set<Socket>()
  let completed: CompletedRequest[] = []

  function create(): Connection {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const connection: Connection = { socket, dueAt: 0, end: () => {}, left: -1, status: 0 }
    open.add(socket)
    socket.on('data', chunk => read(connection, chunk))
    socket.on('error', () => {})
    socket.on('close', () => {
      open.delete(socket)
      const at = idle.indexOf(connection)
      if (at === -1) finish(connection, 0)
      else idle.splice(at, 1)
    })
    return connection
  }

  function read(connection: Connection, chunk: Buffer): void {
    if (connection.left < 0) {
      const head = chunk.toString('latin1')
      connection.status = Number(head.slice(9, 12))
      const length = Number(/content-length: *(\d+)/i.exec(head)?.[1] ?? 0)
      connection.left = length - (chunk.length - head.indexOf('\r\n\r\n') - 4)
    } else connection.left -= chunk.length
    if (connection.left > 0) return
    idle.push(connection)
    finish(connection, connection.status)
  }

  function write(connection: Connection, dueAt: number): Promise<void> {
    connection.dueAt = dueAt
    connection.left = -1
    return new Promise(resolve => {
      connection.end = resolve
      connection.socket.write(bytes)
    })
  }

  function finish(connection: Connection, status: number): void {
    completed.push({ status, dueAt: connection.dueAt, endedAt: performance.now() })
    connection.end()
  }

  return {
    /**
     * Opens connections, which stay idle. Each one sends a request, because Node's server accepts one connection per
     * turn of its loop.
     */
    async open(count: number): Promise<void> {
      const opened: Connection[] = []
      while (opened.length < count) {
        const batch = Array.from({ length: batchSize }, create)
        await Promise.all(batch.map(connection => write(connection, performance.now())))
        opened.push(...batch)
        idle.length = 0
      }
      idle.push(...opened)
    },
    /** Sends one request, on an idle connection or a new one. Resolves when it has ended; it never rejects. */
    send(dueAt: number): Promise<void> {
      return write(idle.pop() ?? create(), dueAt)
    },
    /** Returns the requests that have ended since the last call. */
    takeCompleted(): readonly CompletedRequest[] {
      const result = completed
      completed = []
      return result
    },
    close(): void {
      for (const socket of open) socket.destroy()
    },
  }
}
