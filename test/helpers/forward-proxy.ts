import { createServer, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import type { Test } from 'tap'
import { listenUntilEnd } from './listen-until-end.ts'

/** A request as the proxy got it. */
export interface Proxied {
  readonly method: string
  /** `host:port` of a tunnel, and else the whole URL. */
  readonly target: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

export interface ForwardProxy {
  readonly origin: string
  readonly requests: readonly Proxied[]
  /** Connections to the proxy open now, and the most there were at once. */
  readonly open: number
  readonly most: number
}

export interface ForwardProxyOptions {
  /** Answers every `CONNECT` with this status; 0 never answers. @default 200, and a tunnel */
  readonly status?: number
}

/** A real forward proxy on loopback: it makes tunnels, and forwards requests that name a whole URL. */
export async function forwardProxy(t: Test, { status = 200 }: ForwardProxyOptions = {}): Promise<ForwardProxy> {
  const requests: Proxied[] = []
  const sockets = new Set<Socket>()
  let open = 0
  let most = 0

  const server = createServer((asked, reply) => {
    const { method = '', url = '', headers } = asked
    requests.push({ method, target: url, headers })
    const { 'proxy-authorization': _, ...others } = headers
    asked.pipe(
      request(url, { method, headers: others }, answer => {
        reply.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(reply)
      }).on('error', () => reply.destroy()),
    )
  })
  server.on('connection', socket => {
    most = Math.max(most, ++open)
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => {
      open--
      sockets.delete(socket)
    })
  })
  server.on('connect', ({ method = '', url = '', headers }, inner: Socket) => {
    requests.push({ method, target: url, headers })
    if (status === 0) return
    if (status !== 200) return void inner.end(`HTTP/1.1 ${status} Refused\r\ncontent-length: 0\r\n\r\n`)
    const { hostname, port } = new URL(`http://${url}`)
    const outer = connect(Number(port || 80), hostname.replace(/^\[(.*)\]$/, '$1'), () => {
      inner.write('HTTP/1.1 200 Connection established\r\n\r\n')
      inner.pipe(outer).pipe(inner)
    })
    outer.on('error', () => inner.destroy())
    inner.on('close', () => outer.destroy())
    outer.on('close', () => inner.destroy())
  })
  const port = await listenUntilEnd(t, server, sockets)
  return {
    origin: `http://127.0.0.1:${port}`,
    requests,
    get open() {
      return open
    },
    get most() {
      return most
    },
  }
}
