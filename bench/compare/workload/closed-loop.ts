// A closed loop: every caller sends one request, reads the whole response, then sends the next.
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { announce } from '../../lib/announce.ts'
import { latencyHistogram } from '../../lib/latency-histogram.ts'

export interface LoadStart {
  readonly port: number
  /** The path of each request; several paths are used in turn. */
  readonly path: string | readonly string[]
  /** Headers of every request, by lower-case name. @default none */
  readonly headers?: Readonly<Record<string, string>>
  readonly ms: number
  readonly callers: number
}
export interface LoadResult {
  readonly responses: number
  /** Number of responses that have another status, have no Content-Length, or were lost with their connection. */
  readonly non200: number
  readonly elapsedMs: number
  readonly p50Ms: number
  readonly p99Ms: number
}
interface Connection {
  readonly socket: Socket
  onResponse: (ok: boolean) => void
}

const idle = new Map<number, Connection[]>()

process.on('message', message => {
  if (typeof message !== 'object' || message === null || !('start' in message)) return
  run(message.start as LoadStart).then(
    result => process.send?.(result),
    (error: unknown) => {
      console.error(error)
      process.exit(1)
    },
  )
})
announce(0)

async function run({ port, path, headers = {}, ms, callers }: LoadStart): Promise<LoadResult> {
  const fields = Object.entries({ host: `127.0.0.1:${port}`, ...headers })
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')
  const requests = (typeof path === 'string' ? [path] : path).map(each =>
    Buffer.from(`GET ${each} HTTP/1.1\r\n${fields}\r\n`),
  )
  let sent = 0
  const send = (socket: Socket) => socket.write(requests[sent++ % requests.length] as Buffer)
  const kept = (idle.get(port) ?? []).filter(({ socket }) => socket.writable).slice(0, callers)
  const opened = await Promise.all(Array.from({ length: callers - kept.length }, () => open(port)))
  const connections = [...kept, ...opened]
  const latencies = latencyHistogram()
  let responses = 0
  let non200 = 0
  const startedAt = performance.now()

  // Each caller ends after a complete response. So the CPU time between two readings is the cost of counted responses
  // only.
  await Promise.all(
    connections.map(
      connection =>
        new Promise<void>(resolve => {
          let sentAt = performance.now()
          connection.onResponse = ok => {
            const now = performance.now()
            latencies.add((now - sentAt) * 1000)
            responses++
            if (!ok) non200++
            if (now - startedAt >= ms || !connection.socket.writable) {
              connection.onResponse = () => {}
              resolve()
              return
            }
            sentAt = now
            send(connection.socket)
          }
          send(connection.socket)
        }),
    ),
  )

  idle.set(port, connections)
  return {
    responses,
    non200,
    elapsedMs: performance.now() - startedAt,
    p50Ms: latencies.percentileMs(0.5),
    p99Ms: latencies.percentileMs(0.99),
  }
}

function open(port: number): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const connection: Connection = { socket, onResponse: () => {} }
    let head: Buffer | undefined
    let missingBytes = 0
    let ok = false

    socket.on('data', chunk => {
      if (missingBytes > 0) {
        missingBytes -= chunk.length
      } else {
        head = head ? Buffer.concat([head, chunk]) : chunk
        const end = head.indexOf('\r\n\r\n')
        if (end === -1) return
        const text = head.toString('latin1', 0, end)
        const length = /content-length: *(\d+)/i.exec(text)?.[1]
        ok = length !== undefined && text.startsWith('HTTP/1.1 200')
        missingBytes = Number(length ?? 0) - (head.length - end - 4)
        head = undefined
      }
      if (missingBytes <= 0) connection.onResponse(ok && missingBytes === 0)
    })
    socket.on('connect', () => resolve(connection))
    socket.on('error', reject)
    socket.on('close', () => connection.onResponse(false))
  })
}
