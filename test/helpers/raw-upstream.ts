import { once, EventEmitter } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, Server as TlsServer, type TlsOptions } from 'node:tls'
import type { Test } from 'tap'
import { untilEvent } from './until.ts'

/** A request as it came over the wire. */
export interface RawRequest {
  readonly method: string
  readonly path: string
  /** Names in lower case, in the order and number in which they came. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: string
  /** Which request of all, and which connection of all; from 0. */
  readonly index: number
  readonly connection: number
}

/** Decides what goes back: whole bytes, or whatever it does with the socket. */
export type Script = string | Buffer | ((socket: Socket, request: RawRequest) => unknown)

export interface RawUpstream {
  readonly origin: string
  readonly port: number
  readonly requests: RawRequest[]
  readonly connections: number
  /** Connections that are open now. */
  readonly open: number
  /** Resolves when as many requests as that have come. */
  readonly asked: (count: number) => Promise<void>
  /** Resolves when as many connections as that are open. */
  readonly holds: (count: number) => Promise<void>
  /**
   * Connections that are open now and have had a request; a call that was given up while its connection opened leaves
   * one without.
   */
  readonly used: number
  /** Resolves when as many connections as that are open and have had a request. */
  readonly holdsUsed: (count: number) => Promise<void>
  /** Resolves when no connection is open. */
  readonly deserted: () => Promise<void>
  /** Takes no more connections and resets those that are open, until it listens again. */
  readonly stop: () => Promise<void>
  /** Shows another certificate from now on. */
  readonly present: (tls: TlsOptions) => void
  readonly listen: () => Promise<void>
}

/** Writes an answer with its length; a header given as `undefined` is left out. */
export function written(
  status: number,
  headers: Readonly<Record<string, string | undefined>>,
  body: string | Buffer,
): Buffer {
  const bytes = Buffer.from(body)
  const lines = Object.entries({ 'content-length': String(bytes.length), ...headers }).filter(
    ([, value]) => value !== undefined,
  )
  return Buffer.concat([
    Buffer.from(
      `HTTP/1.1 ${status} Whatever\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
      'latin1',
    ),
    bytes,
  ])
}

/** Writes an answer in JSON. */
export function json(value: unknown, status = 200, headers: Readonly<Record<string, string | undefined>> = {}): Buffer {
  return written(status, { 'content-type': 'application/json', ...headers }, JSON.stringify(value))
}

/**
 * Starts a server on a free port that speaks exactly the bytes its script says; over TLS when given a key.
 * `onConnection` sees a connection before a byte of it is read; `place` is its port, and `host` its address.
 */
export async function rawUpstream(
  t: Test,
  script: Script,
  tls?: TlsOptions,
  onConnection?: (socket: Socket, connection: number) => void,
  place = 0,
  host = '127.0.0.1',
): Promise<RawUpstream> {
  const requests: RawRequest[] = []
  const sockets = new Set<Socket>()
  const used = new Set<Socket>()
  const changes = new EventEmitter()
  let connections = 0

  function serve(socket: Socket): void {
    const connection = connections++
    // As servers do; else every second answer on a connection waits for the first to be acknowledged.
    socket.setNoDelay()
    let received = ''
    sockets.add(socket)
    changes.emit('change')
    socket.on('error', () => {})
    socket.on('close', () => {
      sockets.delete(socket)
      used.delete(socket)
      changes.emit('change')
    })
    onConnection?.(socket, connection)
    socket.on('data', chunk => {
      received += chunk.toString('latin1')
      for (let taken = take(received); taken !== undefined; taken = take(received)) {
        received = received.slice(taken.length)
        const request = { ...taken.request, index: requests.length, connection }
        requests.push(request)
        if (!socket.destroyed) used.add(socket)
        changes.emit('change')
        if (typeof script === 'function') script(socket, request)
        else socket.write(script)
      }
    })
  }

  const server: Server = tls === undefined ? createServer(serve) : createTlsServer(tls, serve)
  const listen = async (port: number) => {
    await once(server.listen(port, host), 'listening')
  }
  const stop = async () => {
    if (!server.listening) return
    // One that waits for its own FIN to leave cannot be reset: Node would neither close it nor ever end the process.
    for (const socket of sockets)
      if (tls === undefined && !socket.writableEnded) socket.resetAndDestroy()
      else socket.destroy()
    server.close()
    await once(server, 'close')
  }
  await listen(place)
  const { port } = server.address() as AddressInfo
  t.teardown(stop)

  return {
    origin: `${tls === undefined ? 'http' : 'https'}://${host}:${port}`,
    port,
    stop,
    listen: () => listen(port),
    present(options) {
      if (server instanceof TlsServer) server.setSecureContext(options)
    },
    requests,
    get connections() {
      return connections
    },
    get open() {
      return sockets.size
    },
    async asked(count) {
      await untilEvent(changes, 'change', () => requests.length >= count)
    },
    async holds(count) {
      await untilEvent(changes, 'change', () => sockets.size === count)
    },
    get used() {
      return used.size
    },
    async holdsUsed(count) {
      await untilEvent(changes, 'change', () => used.size === count)
    },
    async deserted() {
      await untilEvent(changes, 'change', () => sockets.size === 0)
    },
  }
}

/** Takes the first whole request off what has come. */
function take(
  received: string,
): { readonly length: number; readonly request: Omit<RawRequest, 'index' | 'connection'> } | undefined {
  const end = received.indexOf('\r\n\r\n')
  if (end === -1) return undefined
  const [start = '', ...lines] = received.slice(0, end).split('\r\n')
  const [method = '', path = ''] = start.split(' ')
  const headers = lines.map(line => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const
  })
  const size = Number(headers.find(([name]) => name === 'content-length')?.[1] ?? 0)
  const length = end + 4 + size
  return received.length < length
    ? undefined
    : { length, request: { method, path, headers, body: received.slice(end + 4, length) } }
}
